"""People who buy: who they are, how to reach them, and where their orders go."""
