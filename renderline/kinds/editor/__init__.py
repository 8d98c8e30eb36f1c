"""Projects that the vendor's editor made: what they hold, what a new one may take over, and what is replaced in it.

All of it works on a project as the vendor reads it back (AI Studios v3 contract, one project), whatever its shape: a
field that is not understood is passed over, never an error.
"""
