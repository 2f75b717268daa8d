"""Pulls the message archive of WeCom through a bridge: a program around the vendor's SDK.

The SDK is the vendor's and closed; the bridge is the only process that it lives in. What is said to
it and what it answers is in docs/connectors/wecom.md.
"""
