"""Keeps who is told of what happens, and what they were told; it sends nothing.

What happens is written in the transaction of the act. Who may know of it is judged when it is
passed on, by the rights that the owner of the endpoint has then.
"""
