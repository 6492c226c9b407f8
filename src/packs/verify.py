#!/usr/bin/env python3
"""Checks a Sopledger evidence pack with Python 3 alone: no network, no other module, nothing of Sopledger.

    python3 verify.py                      the unpacked pack in which this file lies
    python3 verify.py PACK.zip             the zip as it was handed over
    python3 verify.py FOLDER               the same, unpacked
    python3 verify.py --key FILE PACK.zip  with a key that you know from elsewhere, not the one in the pack
    python3 verify.py --json PACK.zip      one JSON document for programs

Exit code 0: sound. 1: at least one fault, each with the file it is in. 2: there is nothing to read.

Read it before you trust it, and take it from somewhere else than the pack if you do not trust whoever handed the pack
over. What it asks, in this order: are the bytes those that were packed (seal, MANIFEST.sha256); is the checkpoint
signed; is every entry in the tree that it signs; do the entries of each subject follow one another without a gap; are
the records, texts, signatures and disclosed personal values those that the entries seal.

Where a recovery was declared, the ledger has several epochs, each with its own name, key, tree and numbers. The files of
the present one lie at the top, those of an earlier one below epoch/1/, epoch/2/, …; all of them are checked, and that
the first entry of each later one declares what was found of the one before. --key FILE then holds the keys of all.
"""
import base64
import datetime
import hashlib
import hmac
import json
import os
import re
import sys
import zipfile

LARGEST = 1 << 28  # bytes of one file that are still read
faults = []


def fault(check, file, what):
    faults.append({"check": check, "file": file, "what": what})


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


# ---- The pack: a zip or a folder -------------------------------------------------------------------------------------

class Pack:
    """File names and their bytes. `hashes` holds the SHA-256, hex, of every file that could be read."""

    def __init__(self, path):
        self.folder = path if os.path.isdir(path) else None
        if self.folder:
            self.names = sorted(os.path.relpath(os.path.join(at, name), path).replace(os.sep, "/")
                                for at, _, names in os.walk(path) for name in names)
        else:
            check_seal(path)
            self.zip = zipfile.ZipFile(path)
            listed = [info.filename for info in self.zip.infolist()]
            self.names = sorted(set(listed))
            if len(self.names) != len(listed):
                fault("zip.read", "", "a name stands in the zip twice")
        self.has = set(self.names)
        self.hashes = {}
        for name in self.names:
            try:
                self.hashes[name] = hashlib.sha256(self.bytes(name)).hexdigest()
            except Exception as error:  # a damaged zip fails in many ways; each is a fault, none ends the check
                fault("zip.read", name, f"cannot be read: {error!r}")

    def bytes(self, name):
        opened = open(os.path.join(self.folder, name), "rb") if self.folder else self.zip.open(name)
        with opened as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ValueError("larger than any file of a pack")
        return data

    def get(self, name):
        """The bytes, or None where there is no such file or it cannot be read."""
        return self.bytes(name) if name in self.hashes else None


def check_seal(path):
    """The zip ends with `sha256:` and the hash, in hex, of every byte before its 64 digits."""
    size, seen = os.path.getsize(path), hashlib.sha256()
    with open(path, "rb") as file:
        left, last = max(size - 64, 0), b""
        while left > 0:
            piece = file.read(min(left, 1 << 20))
            if not piece:
                break
            seen.update(piece)
            left, last = left - len(piece), (last + piece)[-7:]
        digits = file.read()
    if last != b"sha256:" or digits != seen.hexdigest().encode():
        fault("zip.seal", "", "the zip is not byte for byte the one that was made")


def check_manifest(pack):
    raw, listed = pack.get("MANIFEST.sha256"), {}
    if raw is None:
        fault("file.missing", "MANIFEST.sha256", "the list of the files is not there")
        return
    try:
        lines = raw.decode("utf-8").split("\n")
        if lines.pop() != "":
            raise ValueError("the last line is not ended")
        for line in lines:
            digest, name = re.fullmatch(r"([0-9a-f]{64})  (.+)", line).groups()
            if name in listed:
                raise ValueError("a name twice")
            listed[name] = digest
    except Exception as error:
        fault("manifest.form", "MANIFEST.sha256", f"not a list as sha256sum writes it: {error!r}")
    for name, digest in listed.items():
        if name not in pack.has:
            fault("file.missing", name, "is in the list and not in the pack")
        elif pack.hashes.get(name, digest) != digest:
            fault("file.differs", name, f"hashes to {pack.hashes[name]}, the list says {digest}")
    for name in pack.names:
        if name not in listed and name != "MANIFEST.sha256":
            fault("file.unlisted", name, "is in the pack and not in its list")


# ---- Ed25519 (RFC 8032, section 6), verification only ----------------------------------------------------------------

P = 2 ** 255 - 19
Q = 2 ** 252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def add(a, b):
    """Points as (X, Y, Z, T), x = X/Z, y = Y/Z, xy = T/Z."""
    m, n = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(k, point):
    out = (0, 1, 1, 0)
    while k:
        if k & 1:
            out = add(out, point)
        point, k = add(point, point), k >> 1
    return out


def same(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def point_of(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * SQRT_M1 % P
    if y >= P or (x * x - x2) % P or (x == 0 and sign):
        raise ValueError("not a point of the curve")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed_by(public, message, signature):
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r, s = point_of(public), point_of(signature[:32]), int.from_bytes(signature[32:], "little")
    identity = (0, 1, 1, 0)
    if s >= Q or same(times(8, a), identity) or same(times(8, r), identity):
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % Q
    return same(times(s, BASE), add(r, times(h, a)))


# ---- Checkpoint and key (c2sp.org/signed-note, tlog-checkpoint) ------------------------------------------------------

def b64(text):
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not base64 in its one spelling")
    return data


def keys_of(text):
    """`<name>+<id>+<base64(0x01 || public key)>` a line, as {(name, id): public key}."""
    keys = {}
    lines = text.split("\n")
    if lines.pop() != "" or not lines:
        raise ValueError("a line a key, each ended")
    for line in lines:
        name, key_id, data = line.split("+", 2)
        data = b64(data)
        made = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
        if len(data) != 33 or data[0] != 1 or made.hex() != key_id:
            raise ValueError("not a verifier key")
        keys[name, made] = data[1:]
    return keys


def decimal(text):
    if not re.fullmatch("0|[1-9][0-9]{0,18}", text):
        raise ValueError(f"{text!r} is not a decimal number")
    return int(text)


def read_note(note, keys):
    """(origin, size, root) of a note, and whether one of the keys signs it; raises ValueError where it is none."""
    text, lines = note[:note.rindex("\n\n") + 1], note[note.rindex("\n\n") + 2:].split("\n")
    if lines.pop() != "" or not lines:
        raise ValueError("no signature")
    signatures = []
    for line in lines:
        found = re.fullmatch("— (\\S+) (\\S+)", line)
        if not found:
            raise ValueError("not a signature")
        signatures.append((found[1], b64(found[2])))
    found = re.fullmatch("([a-z0-9./-]{1,128})\n([0-9]+)\n(\\S+)\n", text)
    if not found:
        raise ValueError("not the three lines")
    origin, size, root = found[1], decimal(found[2]), b64(found[3])
    if size == 0 or len(root) != 32:
        raise ValueError("no size or no root")
    known = [(keys[name, data[:4]], data[4:]) for name, data in signatures if (name, data[:4]) in keys]
    try:
        good = bool(known) and all(signed_by(key, text.encode(), signature) for key, signature in known)
    except Exception:
        good = False
    return (origin, size, root), good


def check_checkpoint(pack, file, keys):
    """The signed (origin, size, root), or None."""
    try:
        said, good = read_note(pack.get(file).decode("utf-8"), keys)
    except Exception as error:
        fault("checkpoint.form", file, f"is no checkpoint: {error!r}")
        return None
    if not good:
        fault("checkpoint.signature", file, "is not signed by the key")
    return said


# ---- Epochs ----------------------------------------------------------------------------------------------------------

def split(name):
    """Which earlier epoch a file belongs to (None: the present one) and its name there; None where neither."""
    if not name.startswith("epoch/"):
        return None, name
    found = re.fullmatch(r"epoch/([1-9][0-9]{0,18})/(.*)", name, re.ASCII | re.DOTALL)
    return (int(found[1]), found[2]) if found else None


class Epoch:
    """What vouches for the entries of one epoch. `vouchers`: the bytes that a proof may end with, and what they say."""

    def __init__(self, pack, number, following, given, whole):
        self.number = number
        self.at = "" if number is None else f"epoch/{number}/"
        self.checkpoint, self.vouchers, self.said = None, [], None
        keys = {}
        try:
            raw = pack.get(self.at + "key") if given is None else open(given, "rb").read()
            keys = keys_of(raw.decode("utf-8"))
        except Exception as error:
            fault("key.form", self.at + "key", f"holds no verifier key: {error!r}")
        file = self.at + "checkpoint"
        # An epoch that a recovery has ended may never have been signed as far as it was found.
        if file in pack.has or number is None:
            self.checkpoint = check_checkpoint(pack, file, keys)
        self.origin = self.checkpoint and self.checkpoint[0]
        if pack.get(file) is not None:
            self.vouchers.append((pack.get(file), self.checkpoint))
        if number is not None:
            self.read_declaration(pack, "" if following is None else f"epoch/{following}/", keys, whole)

    def read_declaration(self, pack, following, keys, whole):
        """What the first entry of the next epoch declares of this one; that entry is proven with its own epoch's."""
        file, data = first_entry(pack, following, whole)
        try:
            body = json.loads(lines_of(data)[4])
            note, size, root = body["checkpoint"], body["found_size"], digest_or_none(body.get("found_root"))
            if body["act"] != "ledger.recovered" or type(note) is not str or type(size) is not int or size < 0:
                raise ValueError("not such an act")
        except Exception as error:
            fault("epoch.undeclared", file, f"declares no recovery of the epoch before: {error!r}")
            return
        self.said = (0, size)
        try:
            said, good = read_note(note, keys)
            self.said = (said[1], size)
            if not good or self.origin not in (None, said[0]):
                raise ValueError("of another epoch, or not signed")
            self.origin = said[0]
        except Exception as error:
            fault("epoch.note", file, f"quotes no note that the epoch before has signed: {error!r}")
        if root is not None and self.origin and size > 0:
            found = self.origin, size, bytes.fromhex(root)
            if self.checkpoint and not whole:
                self.check_consistency(pack, found)
            text = f"{self.origin}\n{size}\n{base64.b64encode(found[2]).decode()}\n"
            self.vouchers.append((text.encode(), found))

    def check_consistency(self, pack, found):
        """Whether what a recovery has found extends what the epoch had signed."""
        file, (_, signed, root) = self.at + "consistency", self.checkpoint
        if signed >= found[1]:
            if (signed, root) != found[1:]:
                fault("epoch.different", self.at + "checkpoint", "is not what the recovery has found")
            if file in pack.has:
                fault("file.unknown", file, "there is nothing for it to prove")
            return
        raw = pack.get(file)
        if raw is None:
            fault("consistency.missing", file, "nothing proves that what was found extends the checkpoint")
            return
        try:
            lines = raw.decode("ascii").split("\n")
            path = [b64(line) for line in lines[:-1]]
            if lines[-1] != "" or not path or any(len(node) != 32 for node in path):
                raise ValueError("a hash a line")
        except Exception as error:
            fault("consistency.form", file, f"is no list of hashes: {error!r}")
            return
        if not extends(signed, root, found[1], found[2], path):
            fault("consistency.path", file, "does not prove that what was found extends the checkpoint")


def first_entry(pack, at, whole):
    """The file that holds entry 0 of an epoch, and its bytes."""
    if not whole:
        return at + "entries/0.entry", pack.get(at + "entries/0.entry")
    full = at + "tile/entries/000"
    file = next((name for name in pack.names if name == full or name.startswith(full + ".p/")), full)
    try:
        return file, bundle_of(pack.get(file))[0]
    except Exception:
        return file, None


def extends(first, first_root, second, second_root, path):
    """RFC 9162, 2.1.4.2: whether the tree of `second` entries begins with that of `first`."""
    if not 0 < first < second or not path:
        return False
    if first & (first - 1) == 0:
        path = [first_root] + path
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for node in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = sha256(b"\1", node, old), sha256(b"\1", node, new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = sha256(b"\1", new, node)
        at, last = at >> 1, last >> 1
    return old == first_root and new == second_root and last == 0


def epochs_of(pack):
    """The numbers of the earlier epochs, and None for the present one."""
    numbers, before = set(), 0
    for name in pack.names:
        found = split(name)
        if found is None:
            fault("file.unknown", name, "is no part of a pack")
        elif found[0] is not None:
            numbers.add(found[0])
    for number in sorted(numbers):
        if number != before + 1:
            fault("epoch.missing", f"epoch/{before + 1}", "is not in the pack")
        before = number
    return sorted(numbers) + [None]


# ---- Entries ---------------------------------------------------------------------------------------------------------

def wrong_number(text):
    raise ValueError(f"{text} is no whole number")


def keeps_profile(value, depth=1):
    if isinstance(value, (dict, list)) and depth > 8:
        return False
    if isinstance(value, dict):
        return all(re.fullmatch("[a-z][a-z0-9_]{0,31}", key) for key in value) and all(
            keeps_profile(item, depth + 1) for item in value.values())
    if isinstance(value, list):
        return all(keeps_profile(item, depth + 1) for item in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) < 2 ** 53
    return not isinstance(value, str) or "\0" not in value


def body_of(text):
    body = json.loads(text, parse_float=wrong_number, parse_constant=wrong_number)
    written = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if not isinstance(body, dict) or written != text or not keeps_profile(body):
        raise ValueError("not written as the profile demands")
    return body


def digest_or_none(value):
    if value is not None and not re.fullmatch("[0-9a-f]{64}", value):
        raise ValueError(f"{value!r} is no digest")
    return value


def lines_of(data):
    """Origin, number, hash of the entry before, instant and body of an entry's bytes."""
    tag, origin, number, prev, ts, body, rest = data.decode("utf-8").split("\n")
    if len(data) > 65535 or tag != "sopledger/v1" or rest or "\r" in body:
        raise ValueError("not six lines of an entry")
    decimal(number)
    if not re.fullmatch("[0-9a-f]{64}", prev):
        raise ValueError("names no hash of the entry before")
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", ts, re.ASCII):
        raise ValueError("its instant is none")
    datetime.datetime.strptime(ts, "%Y-%m-%dT%H:%M:%S.%fZ")
    return origin, number, prev, ts, body


class Entries:
    """What the entries tell, taken in their order."""

    def __init__(self, epochs):
        self.epochs = epochs  # how many
        self.count = 0
        self.last = {}      # (kind, id): [epoch, n, seq, post]
        self.spans = {}     # ((kind, id), epoch from 1): [begins, first n, last n]
        self.posts = {}     # digests of sealed snapshots: whose they are
        self.disposed = {}  # (kind, id) of a record that was disposed of: the digest of what is left of it
        self.sealed = {}    # (epoch, seq): {name: commitment}
        self.signed = {}    # (seq, instant) of entries with a signature: (epoch, hash, hex)
        self.origins = {}   # epoch: its name
        self.begin(None, None)

    def begin(self, epoch, origin):
        """From here on the entries are those of this epoch, None being the present one."""
        self.epoch, self.origin = epoch, origin
        self.before = None  # seq, hash and instant of the entry before
        if origin is not None:
            self.origins[epoch] = origin

    def take(self, seq, data, file):
        """Checks one entry by itself, against the one before, and against its subject's last; returns its hash."""
        leaf, before = sha256(b"\0", data), self.before
        self.count += 1
        self.before = seq, leaf.hex(), ""
        try:
            origin, number, prev, ts, body = lines_of(data)
            if self.origin is not None and origin != self.origin:
                raise ValueError(f"is an entry of {origin}, not of {self.origin}")
            if decimal(number) != seq:
                raise ValueError(f"calls itself number {number}")
        except Exception as error:
            fault("entry.form", file, f"{error}")
            return leaf
        self.before = seq, leaf.hex(), ts
        if seq == 0 and prev != "0" * 64:
            fault("chain.link", file, "entry 0 has one before it")
        if before and before[0] + 1 == seq:
            if prev != before[1]:
                fault("chain.link", file, f"seals {prev}, the entry before hashes to {before[1]}")
            if ts < before[2]:
                fault("chain.time", file, "its instant is before that of the entry before")
        try:
            self.read(seq, ts, leaf, body_of(body), file)
        except Exception as error:
            fault("entry.profile", file, f"its body: {error!r}")
        return leaf

    def read(self, seq, ts, leaf, body, file):
        sealed = {name: digest_or_none(value) for name, value in body.get("sealed", {}).items()}
        obj, pre, post = body.get("obj"), digest_or_none(body.get("pre")), digest_or_none(body.get("post"))
        if sealed:
            self.sealed[self.epoch, seq] = sealed
        if isinstance(body.get("sig"), dict):
            self.signed[seq, ts] = self.epoch, leaf.hex()
        if obj is None and post is None:
            return
        kind, name, n, prev = obj["kind"], obj["id"], obj["n"], obj["prev"]
        if not (isinstance(kind, str) and isinstance(name, str) and isinstance(n, int) and n > 0 and post):
            raise ValueError("its subject lacks kind, id, n or post")
        last, number = self.last.get((kind, name)), self.epoch or self.epochs
        if last is None:
            if (n == 1) != (prev is None):
                fault("subject.chain", file, f"{kind}/{name}: entry number {n} names {prev} as the one before")
            elif n == 1 and pre and number == 1:
                fault("epoch.missing", file, f"{kind}/{name}: entry number 1 follows an epoch that is not here")
        elif last[0] != self.epoch:
            # In a later epoch a subject's numbers begin anew, and its state goes on.
            if (n, prev, pre) != (1, None, last[3]):
                fault("subject.chain", file,
                      f"{kind}/{name}: its entry number {n} does not follow those of the epoch before")
        elif (n, prev, pre) != (last[1] + 1, last[2], last[3]):
            fault("subject.chain", file,
                  f"{kind}/{name}: its entry number {n} does not follow its number {last[1]}")
        self.last[kind, name] = [self.epoch, n, seq, post]
        self.spans.setdefault(((kind, name), number), [n == 1 and pre is None, n, n])[2] = n
        if self.disposed.get((kind, name), post) != post:
            fault("subject.disposed", file, f"{kind}/{name}: changes a record that was disposed of before")
            del self.disposed[kind, name]
        if body.get("act") == "record.disposed":
            self.disposed[kind, name] = post
        self.posts.setdefault(post, (kind, name))

    def gone(self):
        """Digests of states of records that were disposed of: these need not be here, what is left of the record must."""
        return {post for post, subject in self.posts.items() if self.disposed.get(subject, post) != post}


def root_from(leaf, index, size, path):
    """RFC 9162, 2.1.3.2: the root that the path leads to, or None."""
    if index >= size:
        return None
    last = size - 1
    for sibling in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            leaf = sha256(b"\1", sibling, leaf)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            leaf = sha256(b"\1", leaf, sibling)
        index, last = index >> 1, last >> 1
    return leaf if last == 0 else None


def check_excerpt(pack, epoch, entries):
    numbers = []
    for file in pack.hashes:
        number, name = split(file) or (0, file)
        if number != epoch.number:
            continue
        found = re.fullmatch(r"(entries|proofs)/(0|[1-9][0-9]{0,18})\.(entry|tlog-proof)", name, re.ASCII)
        if found and found[1] == "entries" and found[3] == "entry":
            numbers.append(int(found[2]))
        elif found and found[1] == "proofs" and found[3] == "tlog-proof":
            if f"{epoch.at}entries/{found[2]}.entry" not in pack.has:
                fault("proof.alone", file, "there is no entry for it")
        elif name.startswith(("entries/", "proofs/")):
            fault("file.unknown", file, "is no part of a pack")
    for seq in sorted(numbers):
        file, proof = f"{epoch.at}entries/{seq}.entry", f"{epoch.at}proofs/{seq}.tlog-proof"
        leaf = entries.take(seq, pack.get(file), file)
        raw = pack.get(proof)
        if raw is None:
            fault("proof.missing", proof, f"entry {seq} has no proof")
            continue
        try:
            head, own_note = raw.split(b"\n\n", 1)
            tag, index, *path = head.decode("ascii").split("\n")
            if tag != "c2sp.org/tlog-proof@v1" or index != f"index {seq}":
                raise ValueError("not the proof of this entry")
            path = [b64(line) for line in path]
            if any(len(node) != 32 for node in path):
                raise ValueError("a hash has another length")
        except Exception as error:
            fault("proof.form", proof, f"{error!r}")
            continue
        voucher = next((said for text, said in epoch.vouchers if text == own_note), False)
        if voucher is False:
            fault("proof.checkpoint", proof, "is of another checkpoint than the pack's")
        elif voucher and root_from(leaf, seq, voucher[1], path) != voucher[2]:
            fault("proof.path", file, f"entry {seq} is not proven by {proof}")


# ---- The whole ledger as tiles (c2sp.org/tlog-tiles) -----------------------------------------------------------------

def tile_name(kind, index, width):
    digits = str(index)
    digits = digits.zfill((len(digits) + 2) // 3 * 3)
    groups = [digits[at:at + 3] for at in range(0, len(digits), 3)]
    path = "/".join(["x" + group for group in groups[:-1]] + groups[-1:])
    return f"tile/{kind}/{path}" + (f".p/{width}" if width < 256 else "")


def widths(size):
    """Index and width of the tiles that hold so many hashes."""
    for index in range(size // 256):
        yield index, 256
    if size % 256:
        yield size // 256, size % 256


def bundle_of(data):
    found = []
    while data:
        length = int.from_bytes(data[:2], "big")
        if len(data) < 2 + length:
            raise ValueError("ends within an entry")
        found.append(data[2:2 + length])
        data = data[2 + length:]
    return found


def check_tiles(pack, epoch, entries):
    vouched = [said for _, said in epoch.vouchers if said]
    if not vouched:
        return
    size = max(said[1] for said in vouched)
    expected, hashes = set(), []
    for index, width in widths(size):
        file = epoch.at + tile_name("entries", index, width)
        expected.add(file)
        raw = pack.get(file)
        if raw is None:
            fault("tile.missing", file, f"the checkpoint has {size} entries")
            return
        try:
            found = bundle_of(raw)
            if len(found) != width:
                raise ValueError(f"holds {len(found)} entries")
        except Exception as error:
            fault("tile.form", file, f"{error}")
            return
        hashes += [entries.take(index * 256 + place, data, file) for place, data in enumerate(found)]
    level, nodes = 0, hashes
    while nodes:
        above = []
        for index, width in widths(len(nodes)):
            file, run = epoch.at + tile_name(level, index, width), nodes[index * 256:index * 256 + width]
            expected.add(file)
            raw = pack.get(file)
            if raw is None:
                fault("tile.missing", file, f"the checkpoint has {size} entries")
            elif raw != b"".join(run):
                fault("tile.differs", file, "is not the tile of the entries here")
            if width == 256:
                above.append(tree_root(run))
        level, nodes = level + 1, above
    for _, own, root in vouched:
        if tree_root(hashes[:own]) != root:
            fault("tree.root", epoch.at + "checkpoint", f"is not the root over the first {own} entries here")
    for name in pack.names:
        if name.startswith(epoch.at + "tile/") and name not in expected:
            fault("file.unknown", name, "is no tile of this checkpoint")


def tree_root(hashes):
    """RFC 6962, 2.1: pairs from the left; a last one without a pair goes up as it is."""
    while len(hashes) > 1:
        odd = hashes[-1:] if len(hashes) % 2 else []
        hashes = [sha256(b"\1", hashes[at], hashes[at + 1]) for at in range(0, len(hashes) - 1, 2)] + odd
    return hashes[0]


# ---- What the entries seal -------------------------------------------------------------------------------------------

def content_name(digest):
    return f"content/{digest[:2]}/{digest}"


def plain(text):
    """A name as a path: what is not plain is percent-encoded, and so are dots that would climb."""
    parts = []
    for part in text.split("/"):
        climbs = part.strip(".") == ""
        parts.append("".join(
            chr(byte) if re.fullmatch("[A-Za-z0-9._-]", chr(byte)) and not (climbs and byte == 46)
            else f"%{byte:02X}" for byte in part.encode("utf-8")))
    return "/".join(parts)


def texts_in(value):
    """Every {sha256, size} inside a snapshot."""
    if isinstance(value, dict):
        digest, size = value.get("sha256"), value.get("size")
        if isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest) and type(size) is int:
            yield digest, size
        for item in value.values():
            yield from texts_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_in(item)


def json_of(data):
    try:
        return json.loads(data.decode("utf-8"))
    except Exception:
        return None


def check_content(pack, posts, gone):
    for name in pack.hashes:
        if name.startswith("content/") and name != content_name(pack.hashes[name]):
            fault("content.differs", name, f"hashes to {pack.hashes[name]}")
    spoken, objects, texts = set(posts), set(), {}

    def hear(digest):
        value = json_of(pack.get(content_name(digest)) or b"")
        texts.update(texts_in(value))
        own = value.get("digest") if isinstance(value, dict) else None
        if isinstance(own, str) and re.fullmatch("[0-9a-f]{64}", own):
            objects.add(own)

    for digest in sorted(posts):
        hear(digest)
    for digest in sorted(objects - posts):
        hear(digest)
    for digest in sorted(spoken | objects | set(texts)):
        name = content_name(digest)
        if name not in pack.has:
            if digest not in gone:
                fault("content.missing", name, "is sealed by an entry and not in the pack")
        elif digest in texts and name in pack.hashes and len(pack.get(name)) != texts[digest]:
            fault("content.differs", name, f"its record says {texts[digest]} bytes")
    for name in pack.names:
        if name.startswith("content/") and name.rsplit("/", 1)[1] not in spoken | objects | set(texts):
            fault("content.alone", name, "no record here speaks of it")


def unhex(text):
    """Bytes from lower-case hexadecimal digits, and from nothing else."""
    if not re.fullmatch(r"([0-9a-f]{2})*", text, re.ASCII):
        raise ValueError("not lower-case hexadecimal")
    return bytes.fromhex(text)


def check_sealed(pack, entries):
    """Disclosed values against the commitments in their entries; returns the names of signers by commitment."""
    names = {}
    for file in pack.hashes:
        epoch, own = split(file) or (0, file)
        if epoch == 0 or not own.startswith("sealed/"):
            continue
        found = re.fullmatch(r"sealed/(0|[1-9][0-9]{0,18})\.json", own, re.ASCII)
        commitments = entries.sealed.get((epoch, int(found[1]))) if found else None
        if commitments is None:
            fault("sealed.alone", file, "no entry here seals these values")
            continue
        try:
            for name, told in json.loads(pack.get(file).decode("utf-8")).items():
                salt, value = unhex(told["salt"]), told["value"]
                said = "\n".join(["sopledger/v1/sealed", entries.origins.get(epoch, ""), name, value]).encode()
                made = hmac.new(salt, said, hashlib.sha256).hexdigest()
                if len(salt) != 32 or commitments.get(name) != made:
                    fault("sealed.value", file, f"the value of {name} is not the one that was sealed")
                elif name == "signer_name":
                    names[made] = value
        except Exception as error:
            fault("sealed.form", file, f"{error!r}")
    return names


def check_named(pack, entries, names):
    """records/ and documents/: the last snapshot of each subject, and versions as people read them."""
    expected, folders = set(), set()

    def compare(what, file, digest):
        expected.add(file)
        if file not in pack.has:
            fault(f"{what}.missing", file, "is not in the pack")
        elif pack.hashes.get(file, digest) != digest:
            fault(f"{what}.differs", file, "is not what the last entry here seals")

    for (kind, name), (_, _, _, post) in sorted(entries.last.items()):
        if content_name(post) not in pack.has:
            continue
        compare("record", f"records/{plain(kind)}/{plain(name)}.json", post)
        snapshot = json_of(pack.get(content_name(post)) or b"")
        if kind != "document" or "/" not in name or not isinstance(snapshot, dict):
            continue
        number, version = name.split("/", 1)
        folder = f"documents/{plain(number)}/{plain(version)}"
        folders.add(folder)
        for text in snapshot.get("renditions", []):
            compare("document", f"{folder}/{plain(text['lang'])}.md", text["sha256"])
        rows = []
        for row in snapshot.get("signatures", []):
            row = dict(row)
            commitment = row.get("signer_name", {}).get("sealed")
            if commitment in names:
                row["name"] = names[commitment]
            epoch, leaf = entries.signed.get((row.get("seq", 0), row.get("signed_at", "")), (None, None))
            if leaf:
                row["leaf"] = leaf
            if epoch:
                row["epoch"] = epoch
            rows.append(row)
        file = f"{folder}/signatures.json"
        expected.add(file)
        if file not in pack.has:
            fault("document.missing", file, "is not in the pack")
        elif file in pack.hashes and json_of(pack.get(file)) != rows:
            fault("document.differs", file, "is not what the snapshot, the entries and the disclosed names say")
    for name in pack.names:
        what = {"records": "record", "documents": "document"}.get(name.split("/")[0])
        pdf = name.endswith("/version.pdf") and name.rsplit("/", 1)[0] in folders
        if what and name not in expected and not pdf:
            fault(f"{what}.alone", name, "belongs to no subject here")


# ---- All of it -------------------------------------------------------------------------------------------------------

ROOT = {"README.html", "MANIFEST.sha256", "verify.py", "checkpoint", "key"}
FOLDERS = {"content", "records", "documents", "entries", "proofs", "tile", "sealed", "anchors"}
PAST = {"checkpoint", "key", "consistency"}
PAST_FOLDERS = {"entries", "proofs", "tile", "sealed", "anchors"}
EMPTY = {"verdict": "fault", "form": "excerpt", "entries": 0, "subjects": [], "checkpoint": None, "epochs": []}


def is_known(name, whole):
    """Whether a pack of this form may hold a file of this name."""
    epoch, own = split(name)
    folder, inside, _ = own.partition("/")
    if epoch is None:
        known = folder in FOLDERS if inside else own in ROOT
    else:
        known = folder in PAST_FOLDERS if inside else own in PAST
    return known and not (whole and (own == "consistency" or own.startswith(("entries/", "proofs/"))))


def check(path, key):
    report = dict(EMPTY, epochs=[])
    try:
        pack = Pack(path)
    except Exception as error:
        fault("zip.read", "", f"cannot be opened: {error!r}")
        return report
    check_manifest(pack)
    whole, numbers, checkpoint = any(name.startswith("tile/") for name in pack.names), epochs_of(pack), None
    entries = Entries(len(numbers))
    for place, number in enumerate(numbers):
        following = numbers[place + 1] if number is not None else None
        epoch = Epoch(pack, number, following, key, whole)
        entries.begin(number, epoch.origin)
        (check_tiles if whole else check_excerpt)(pack, epoch, entries)
        if number is None:
            checkpoint = epoch.checkpoint
        else:
            signed, found = epoch.said or (None, None)
            report["epochs"].append({"epoch": number, "origin": epoch.origin, "signed": signed, "found": found,
                                     "checkpoint": epoch.checkpoint and epoch.checkpoint[1]})
    report["form"] = "whole" if whole else "excerpt"
    check_content(pack, set(entries.posts), entries.gone())
    check_named(pack, entries, check_sealed(pack, entries))
    for name in pack.names:
        if split(name) and not is_known(name, whole):
            fault("file.unknown", name, "is no part of a pack")
    if not entries.count:
        fault("entry.none", "", "the pack holds no entry")
    report["entries"] = entries.count
    report["subjects"] = [{"subject": f"{kind}/{name}", "epoch": epoch, "begins": begins, "from": first, "to": last}
                          for ((kind, name), epoch), (begins, first, last) in sorted(entries.spans.items())]
    if checkpoint:
        origin, size, root = checkpoint
        report["checkpoint"] = {"origin": origin, "size": size, "root": root.hex()}
    if not faults:
        report["verdict"] = "sound"
    return report


def tell(path, report, own_key):
    print(f"{path}: {'SOUND' if report['verdict'] == 'sound' else 'NOT SOUND'}")
    if report["checkpoint"]:
        said = report["checkpoint"]
        print(f"  {report['entries']} entries of {said['origin']}, checkpoint of {said['size']} entries, "
              f"root {said['root']}")
    for said in report["epochs"]:
        told = {name: "?" if value is None else value for name, value in said.items()}
        print(f"  before it, epoch {told['epoch']}, {told['origin']}: checkpoint of {told['checkpoint']} entries; "
              f"ended by a recovery that found {told['found']} of {told['signed']} signed")
    before = ""
    for line in report["subjects"]:
        of = f" of epoch {line['epoch']}" if report["epochs"] else ""
        lacking = "" if line["begins"] or before == line["subject"] else " (its beginning is not in this pack)"
        print(f"  {line['subject']}: its entries {line['from']} to {line['to']}{of}{lacking}")
        before = line["subject"]
    for one in faults:
        print(f"  FAULT {one['check']}: {one['file'] or 'the pack'}: {one['what']}")
    if own_key:
        print("  Checked with the key in the pack itself: compare it with one that you know (--key FILE).")
    if report["form"] == "excerpt" and not faults:
        print("  An excerpt: what it holds is genuine and unbroken; not that nothing came later.")


def main(arguments):
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    key, as_json, paths = None, False, []
    arguments = list(arguments)
    while arguments:
        argument = arguments.pop(0)
        if argument == "--json":
            as_json = True
        elif argument == "--key" and arguments:
            key = arguments.pop(0)
        else:
            paths.append(argument)
    around = os.path.dirname(os.path.abspath(__file__))
    if not paths and os.path.isfile(os.path.join(around, "MANIFEST.sha256")):
        paths = [around]
    if len(paths) != 1 or not os.path.exists(paths[0]) or (key is not None and not os.path.isfile(key)):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        report = check(paths[0], key)
    except Exception as error:  # what nobody thought of is no proof of soundness
        fault("check.failed", "", f"the check itself failed: {error!r}")
        report = dict(EMPTY)
    try:
        if as_json:
            json.dump({**report, "faults": faults}, sys.stdout, ensure_ascii=False, indent=2)
            print()
        else:
            tell(paths[0], report, key is None)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
