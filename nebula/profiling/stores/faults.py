"""What a store's library says went wrong → a sentence that tells what to do."""

from __future__ import annotations

import re

from nebula.errors import DataError
from nebula.profiling.stores.address import Address

__all__ = ["store_fault"]

# The first that fits; the libraries give no codes, only texts.
_FAULTS = (
    (
        (
            r"ACCESS_DENIED|INVALID_ACCESS_KEY|SIGNATURE_DOES_NOT_MATCH|CREDENTIALS|INVALID_CLIENT_TOKEN|EXPIRED_TOKEN"
            r"|HTTP status 40[13]|[Cc]redentials|kUnauthenticated|kPermissionDenied|UNAUTHENTICATED|PERMISSION_DENIED|OAuth"
        ),
        "credentials that may read this",
        "none, or ones that the store refuses",
        (
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE or GOOGLE_APPLICATION_CREDENTIALS, "
            "or add `?anonymous=true` for public data"
        ),
    ),
    (
        (
            r"NETWORK_CONNECTION|curlCode|REQUEST_TIMEOUT|[Cc]onnection|[Tt]imed? ?out|resolve host|kUnavailable|UNAVAILABLE"
            r"|EasyPerform|SLOW_DOWN|SERVICE_UNAVAILABLE|INTERNAL_FAILURE|HTTP status 5"
        ),
        "an answer from the store",
        "none",
        "check the network and `endpoint_override`, and try again",
    ),
    (
        r"libjvm|libhdfs|HADOOP_HOME",
        "the libraries of Hadoop on this machine",
        "none",
        "install a Java runtime and Hadoop, and set JAVA_HOME, HADOOP_HOME and CLASSPATH",
    ),
    (
        r"NO_SUCH_BUCKET|NoSuchBucket|bucket does not exist",
        "a bucket of this name",
        "none",
        "check the name and the region",
    ),
    (
        r"HTTP status 30[1-8]|PermanentRedirect",
        "the region of the bucket",
        "another one",
        "name it with `?region=`",
    ),
    (r"RESOURCE_NOT_FOUND|NO_SUCH_KEY|NoSuchKey|HTTP status 404|NotFound|\[errno 2\]", "a file", "nothing there", ""),
)


def store_fault(address: Address, error: OSError) -> DataError | None:
    """Return what the store refused as a sentence; None when the store did its part.

    Args:
        address: What was read.
        error: What pyarrow raised. Of its text no secret of the address is shown.
    """
    said = " ".join(str(error).split())
    for secret in address.secrets:
        said = said.replace(secret, "***")
    if isinstance(error, FileNotFoundError):
        return DataError(f"{address}: expected a file, found nothing there.")
    unnamed = re.sub(r"'[^']*'", "''", said)  # a key may be called `connection.csv`
    for pattern, expected, found, advice in _FAULTS:
        if re.search(pattern, unnamed):
            rest = f"; {advice}" if advice else ""
            return DataError(f"{address}: expected {expected}, found {found}{rest}. The library says: {said[:200]}")
    return None
