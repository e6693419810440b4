"""Parts of the partners' sandboxes: their own small X12, their books, and their ends of folder, SFTP and AS2."""
