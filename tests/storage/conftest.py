"""The S3 server that the tests of this folder share."""

from server_fixtures import s3_server, shared_s3

__all__ = ["s3_server", "shared_s3"]
