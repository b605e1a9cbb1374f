import hashlib
import re

from eventcal.kit.ids import hash_secret, new_id, new_secret


def test_new_id_has_sixteen_url_safe_characters() -> None:
    for _ in range(200):
        assert re.fullmatch(r"[0-9a-hjkmnp-tv-z]{16}", new_id())


def test_ids_use_the_whole_alphabet_and_do_not_repeat() -> None:
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert sorted(set("".join(ids))) == list("0123456789abcdefghjkmnpqrstvwxyz")


def test_secret_has_its_prefix_and_256_random_bits() -> None:
    secret = new_secret("evc_")
    # 43 base64 characters encode 32 bytes.
    assert re.fullmatch(r"evc_[A-Za-z0-9_-]{43}", secret)
    assert len({new_secret("evc_") for _ in range(200)}) == 200


def test_secret_hash_is_sha_256() -> None:
    assert hash_secret("evc_abc") == hashlib.sha256(b"evc_abc").hexdigest()
    assert hash_secret("evc_abc") != hash_secret("evc_abd")
