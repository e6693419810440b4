"""Trading partners: the transports their files come and go by. What is in the files is `mappings.edi`."""
