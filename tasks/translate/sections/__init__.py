"""The settings of the translators, a module a method, and what they share.

A method's section is imported by its method alone, so that a changed default makes no other method's results anew.
"""
