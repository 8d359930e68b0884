"""Pieces of pages as HTML, made from contracts; text is escaped where it enters."""
