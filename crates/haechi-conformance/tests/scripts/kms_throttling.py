"""Request quotas: five CreateKey a second, and no more."""

from harness import client, equal, main
from botocore.exceptions import ClientError

kms = client("kms")


def test_who_asks_too_often_is_told_so_and_others_are_served():
    made, told = 0, set()
    for _ in range(40):
        try:
            kms.create_key()
            made += 1
        except ClientError as error:
            told.add((error.response["Error"]["Code"], error.response["Error"]["Message"]))
            kms.list_keys(Limit=1)
    equal(told, {("ThrottlingException", "Rate exceeded")})
    assert made >= 5, made


main()
