"""Web Access Control: ACL documents and headers."""
