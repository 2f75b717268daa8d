"""Signs people in through an OpenID Connect provider: what it is asked, and when it is believed.

It keeps nothing and lets nobody in: `storage.rights` does, once a token was found to be good.
"""
