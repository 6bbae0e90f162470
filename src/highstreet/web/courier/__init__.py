"""The courier app: shift, tasks, proof, earnings."""
