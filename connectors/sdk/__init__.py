"""What every connector is made of: contract, manifest, HTTP, auth, budgets, errors, sandbox kit."""
