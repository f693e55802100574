"""An app with a kind of statement that the site does not know, for test_registry.py alone."""
