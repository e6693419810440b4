"""AS2: signed, encrypted and compressed messages over HTTP, and the receipts that prove them.

Source: RFC 4130 (AS2, 2005-07), RFC 5402 (compression, 2010-02), RFC 5652 (CMS, 2009-09), RFC 3274
(compressed data, 2002-06), RFC 5751 (S/MIME 3.2, 2010-01), RFC 3798 (MDN, 2004-05).
"""
