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


def check_checkpoint(pack, given):
    """The signed (origin, size, root), or None."""
    keys = {}
    try:
        raw = pack.get("key") if given is None else open(given, "rb").read()
        keys = keys_of(raw.decode("utf-8"))
    except Exception as error:
        fault("key.form", "key", f"holds no verifier key: {error!r}")
    try:
        note = pack.get("checkpoint").decode("utf-8")
        text, lines = note[:note.rindex("\n\n") + 1], note[note.rindex("\n\n") + 2:].split("\n")
        if lines.pop() != "" or not lines:
            raise ValueError("no signature")
        signatures = []
        for line in lines:
            name, data = re.fullmatch("— (\\S+) (\\S+)", line).groups()
            signatures.append((name, b64(data)))
        origin, size, root = re.fullmatch("([a-z0-9./-]{1,128})\n([0-9]+)\n(\\S+)\n", text).groups()
        size, root = decimal(size), b64(root)
        if size == 0 or len(root) != 32:
            raise ValueError("no size or no root")
    except Exception as error:
        fault("checkpoint.form", "checkpoint", f"is no checkpoint: {error!r}")
        return None
    known = [(keys[name, data[:4]], data[4:]) for name, data in signatures if (name, data[:4]) in keys]
    try:
        good = bool(known) and all(signed_by(key, text.encode(), signature) for key, signature in known)
    except Exception:
        good = False
    if not good:
        fault("checkpoint.signature", "checkpoint", "is not signed by the key")
    return origin, size, root


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


class Entries:
    """What the entries tell, taken in their order."""

    def __init__(self, origin):
        self.origin = origin
        self.leaf = {}      # seq: hash, hex
        self.last = {}      # (kind, id): [first n, last n, seq, post]
        self.posts = {}     # digests of sealed snapshots: whose they are
        self.disposed = {}  # (kind, id) of a record that was disposed of: the digest of what is left of it
        self.sealed = {}    # seq: {name: commitment}
        self.signed = set()  # entries with a signature
        self.before = None  # seq, hash and instant of the entry before

    def take(self, seq, data, file):
        """Checks one entry by itself, against the one before, and against its subject's last; returns its hash."""
        leaf, before = sha256(b"\0", data), self.before
        self.leaf[seq] = leaf.hex()
        self.before = seq, leaf.hex(), ""
        try:
            tag, origin, number, prev, ts, body, rest = data.decode("utf-8").split("\n")
            if len(data) > 65535 or tag != "sopledger/v1" or rest or "\r" in body:
                raise ValueError("not six lines of an entry")
            if self.origin is not None and origin != self.origin:
                raise ValueError(f"is an entry of {origin}, not of {self.origin}")
            if decimal(number) != seq:
                raise ValueError(f"calls itself number {number}")
            if not re.fullmatch("[0-9a-f]{64}", prev):
                raise ValueError("names no hash of the entry before")
            if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", ts, re.ASCII):
                raise ValueError("its instant is none")
            datetime.datetime.strptime(ts, "%Y-%m-%dT%H:%M:%S.%fZ")
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
            self.read(seq, body_of(body), file)
        except Exception as error:
            fault("entry.profile", file, f"its body: {error!r}")
        return leaf

    def read(self, seq, body, file):
        sealed = {name: digest_or_none(value) for name, value in body.get("sealed", {}).items()}
        obj, pre, post = body.get("obj"), digest_or_none(body.get("pre")), digest_or_none(body.get("post"))
        if sealed:
            self.sealed[seq] = sealed
        if isinstance(body.get("sig"), dict):
            self.signed.add(seq)
        if obj is None and post is None:
            return
        kind, name, n, prev = obj["kind"], obj["id"], obj["n"], obj["prev"]
        if not (isinstance(kind, str) and isinstance(name, str) and isinstance(n, int) and n > 0 and post):
            raise ValueError("its subject lacks kind, id, n or post")
        last = self.last.get((kind, name))
        if last is None:
            if (n == 1) != (prev is None):
                fault("subject.chain", file, f"{kind}/{name}: entry number {n} names {prev} as the one before")
            self.last[kind, name] = [n, n, seq, post]
        else:
            if (n, prev, pre) != (last[1] + 1, last[2], last[3]):
                fault("subject.chain", file,
                      f"{kind}/{name}: its entry number {n} does not follow its number {last[1]}")
            last[1:] = [n, seq, post]
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


def check_excerpt(pack, checkpoint, entries):
    numbers, note = [], pack.get("checkpoint")
    for name in pack.hashes:
        found = re.fullmatch(r"(entries|proofs)/(0|[1-9][0-9]{0,18})\.(entry|tlog-proof)", name, re.ASCII)
        if found and found[1] == "entries" and found[3] == "entry":
            numbers.append(int(found[2]))
        elif found and found[1] == "proofs" and found[3] == "tlog-proof":
            if f"entries/{found[2]}.entry" not in pack.has:
                fault("proof.alone", name, "there is no entry for it")
        elif name.startswith(("entries/", "proofs/")):
            fault("file.unknown", name, "is no part of a pack")
    for seq in sorted(numbers):
        file, proof = f"entries/{seq}.entry", f"proofs/{seq}.tlog-proof"
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
        if own_note != note:
            fault("proof.checkpoint", proof, "is of another checkpoint than the pack's")
        elif checkpoint and root_from(leaf, seq, checkpoint[1], path) != checkpoint[2]:
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


def check_tiles(pack, checkpoint, entries):
    if checkpoint is None:
        return
    _, size, root = checkpoint
    expected, hashes = set(), []
    for index, width in widths(size):
        file = tile_name("entries", index, width)
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
            file, run = tile_name(level, index, width), nodes[index * 256:index * 256 + width]
            expected.add(file)
            raw = pack.get(file)
            if raw is None:
                fault("tile.missing", file, f"the checkpoint has {size} entries")
            elif raw != b"".join(run):
                fault("tile.differs", file, "is not the tile of the entries here")
            if width == 256:
                above.append(tree_root(run))
        level, nodes = level + 1, above
    if tree_root(hashes) != root:
        fault("tree.root", "checkpoint", "is not the root over the entries here")
    for name in pack.names:
        if name.startswith("tile/") and name not in expected:
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


def check_sealed(pack, entries):
    """Disclosed values against the commitments in their entries; returns the names of signers by commitment."""
    names = {}
    for file in pack.hashes:
        if not file.startswith("sealed/"):
            continue
        found = re.fullmatch(r"sealed/(0|[1-9][0-9]{0,18})\.json", file, re.ASCII)
        commitments = entries.sealed.get(int(found[1])) if found else None
        if commitments is None:
            fault("sealed.alone", file, "no entry here seals these values")
            continue
        try:
            for name, told in json.loads(pack.get(file).decode("utf-8")).items():
                salt, value = bytes.fromhex(told["salt"]), told["value"]
                said = "\n".join(["sopledger/v1/sealed", entries.origin or "", name, value]).encode()
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
            if row.get("seq", 0) in entries.signed:
                row["leaf"] = entries.leaf[row.get("seq", 0)]
            rows.append(row)
        file = f"{folder}/signatures.json"
        expected.add(file)
        if file not in pack.has:
            fault("document.missing", file, "is not in the pack")
        elif file in pack.hashes and json_of(pack.get(file)) != rows:
            fault("document.differs", file, "is not what the snapshot, the entries and the disclosed names say")
    for name in pack.names:
        what = {"records": "record", "documents": "document"}.get(name.split("/")[0])
        pdf = name.endswith(".pdf") and name.rsplit("/", 1)[0] in folders
        if what and name not in expected and not pdf:
            fault(f"{what}.alone", name, "belongs to no subject here")


# ---- All of it -------------------------------------------------------------------------------------------------------

ROOT = {"README.html", "MANIFEST.sha256", "verify.py", "checkpoint", "key"}
FOLDERS = {"content", "records", "documents", "entries", "proofs", "tile", "sealed", "anchors"}


def check(path, key):
    report = {"verdict": "fault", "form": "excerpt", "entries": 0, "subjects": [], "checkpoint": None}
    try:
        pack = Pack(path)
    except Exception as error:
        fault("zip.read", "", f"cannot be opened: {error!r}")
        return report
    check_manifest(pack)
    checkpoint = check_checkpoint(pack, key)
    entries = Entries(checkpoint and checkpoint[0])
    if any(name.startswith("tile/") for name in pack.names):
        report["form"] = "whole"
        check_tiles(pack, checkpoint, entries)
    else:
        check_excerpt(pack, checkpoint, entries)
    check_content(pack, set(entries.posts), entries.gone())
    check_named(pack, entries, check_sealed(pack, entries))
    for name in pack.names:
        known = name in ROOT if "/" not in name else name.split("/")[0] in FOLDERS
        if not known or report["form"] == "whole" and name.startswith(("entries/", "proofs/")):
            fault("file.unknown", name, "is no part of a pack")
    if not entries.leaf:
        fault("entry.none", "", "the pack holds no entry")
    report["entries"] = len(entries.leaf)
    report["subjects"] = [{"subject": f"{kind}/{name}", "from": first, "to": last}
                          for (kind, name), (first, last, _, _) in sorted(entries.last.items())]
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
    for line in report["subjects"]:
        begins = "" if line["from"] == 1 else " (its beginning is not in this pack)"
        print(f"  {line['subject']}: its entries {line['from']} to {line['to']}{begins}")
    for one in faults:
        print(f"  FAULT {one['check']}: {one['file'] or 'the pack'}: {one['what']}")
    if own_key:
        print("  Checked with the key in the pack itself: compare it with one that you know (--key FILE).")
    if report["form"] == "excerpt":
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
        report = {"verdict": "fault", "form": "excerpt", "entries": 0, "subjects": [], "checkpoint": None}
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
