"""The console: server-rendered pages for the operator, no script, no build step."""
