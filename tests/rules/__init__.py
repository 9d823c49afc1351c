"""The rules of SEMANTICS.md, a file per section: small markets whose numbers are worked by hand."""
