"""People who work here: employees, their roles and what each role may do."""
