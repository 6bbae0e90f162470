"""Who may do what to whose: every route, every kind of caller, every owner's things (docs/authorisation.md)."""
