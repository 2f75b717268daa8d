"""Keeps matters, holds, policies, disposals and exports: the statements beneath governance."""
