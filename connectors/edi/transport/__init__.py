"""Folder, SFTP and AS2 below one shape: whole files in through `Store`, whole files out through `deliver` or `send`.

Nothing here knows the hub: what keeps a file is a callable, and a file is answered, moved or
removed at the partner's only after that callable has returned.
"""
