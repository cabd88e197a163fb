"""A class at one server: who visits, what is whose, and who may change it.

``settings`` is what the lecturer started the server with, ``who`` the visitors, ``owners`` whose a
job is, ``jobs`` and ``pictures`` the only ways in which pages change anything, ``serve`` the
command. Without a class everybody may do everything, and nothing is written.
"""
