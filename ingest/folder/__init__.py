"""Takes files that robots and old systems drop into a folder, and answers each with a result file.

Names are looked up below open folders and links are never followed: whoever may write into the
folder must not be able to make us read or move anything else.
"""
