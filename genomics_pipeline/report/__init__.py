"""Reports for people: tables, progress, explanations of failures and agreement with truth."""
