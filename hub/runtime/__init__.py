"""The running process: logs, metrics, health, wake-ups, stopping."""
