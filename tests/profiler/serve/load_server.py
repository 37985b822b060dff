#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put `zigzag serve` under load, and look whether it bears it. Run by hand; needs nothing but Python and Linux.

    python3 tests/profiler/serve/load_server.py --zigzag build/release/bin/zigzag [--model MODEL] [--map MAP]
        [--clients 64] [--minutes 10] [--batch 8] [--context 1024]

Many clients at once ask /v1/completions and /v1/chat/completions, in one piece and as streams, for greedy answers, sampled ones, and
scores of echoed prompts. Some ask for more than fits, some send what is no request, and some hang up in the middle of an answer.
It fails where
  an answer is an error that was not to be one, or another than the one that was;
  a greedy answer is not what `zigzag generate` says, or a sampled one not the same as the last time with its seed;
  the server's memory grows: its resident set at the end against the one after a fifth of the time, by more than --growth;
  clients who left still hold a place of the batch some seconds later, by the server's own count (/health);
  the server does not end when it is told to.
Up to 8 sequences the processor computes a step as it does that of one. With more it multiplies weights of 16 bits with activations of 16
bits, as in a prompt, and a choice between two tokens that are nearly alike may fall otherwise: with --batch 16 that is seen now and then.
"""
import argparse
import collections
import concurrent.futures
import http.client
import json
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROMPTS = ["The pass key is 48213. What is the pass key? The pass key is ", "Once upon a time there was ", "1 2 3 4 5 6 7 ", "a", "The sky is",
           "Remember this number: 90417. " + "The grass is green. The sun is yellow. " * 6 + "The number is ", "x" * 70, "Twelve apples and "]
CHATS = [[("user", "The pass key is 7351. What is the pass key?")], [("system", "Be short."), ("user", "Hello")],
         [("user", "Say it."), ("assistant", "What?"), ("user", "That the sky is blue. " * 8)]]
TEMPLATE = "{% for m in messages %}{{ m.role + ': ' + m.content + '\\n' }}{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
ADDED = 24  # tokens of an answer that is compared


class Wrong(Exception):
    """What the server should not have done."""


def with_template(model: str, scratch: pathlib.Path) -> str:
    """The model's folder, or one of links to it that has a chat template."""
    folder = ROOT / "resources/models" / model.removeprefix("bundled:") if model.startswith("bundled:") else pathlib.Path(model).resolve()
    config = folder / "tokenizer_config.json"
    if not folder.is_dir() or (folder / "chat_template.jinja").exists() or (config.exists() and "chat_template" in json.loads(config.read_text())):
        return str(folder)
    made = scratch / folder.name
    made.mkdir()
    for file in folder.iterdir():
        (made / file.name).symlink_to(file)
    (made / "chat_template.jinja").write_text(TEMPLATE)
    return str(made)


class Expected:
    """What the command line says to each prompt, asked before the load."""

    def __init__(self, arguments, model: str):
        self.zigzag, self.model, self.map = arguments.zigzag, model, arguments.map
        self.texts = [self.ask(prompt) for prompt in PROMPTS]
        self.chats = []
        for messages in CHATS:  # `generate --chat` takes a system text and a user's
            if [role for role, _ in messages] == ["user"]:
                self.chats.append(self.ask(messages[0][1], "--chat"))
            elif [role for role, _ in messages] == ["system", "user"]:
                self.chats.append(self.ask(messages[1][1], "--chat", "--system", messages[0][1]))
            else:
                self.chats.append(None)  # the first answer is what the others are held against

    def ask(self, prompt: str, *options: str) -> str:
        command = [self.zigzag, "generate", self.model, "--prompt", prompt, "--max-new", str(ADDED), "--map", self.map, "-o", "json", *options]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode != 0:
            sys.exit(f"zigzag generate: {done.stderr.decode(errors='replace').strip()}")
        return json.loads(done.stdout.decode(errors="replace"))["text"]


class Server:
    def __init__(self, arguments, model: str):
        command = [arguments.zigzag, "serve", model, "--port", "0", "--map", arguments.map, "--batch", str(arguments.batch), "--context",
                   str(arguments.context), "--backend", arguments.backend]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("http://"):
            sys.exit(f"the server did not begin: {line}")
        self.host, self.port = line.split("/")[2].split(":")

    def connect(self, timeout: float = 300) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, int(self.port), timeout=timeout)

    def resident(self) -> int:
        """Bytes."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise Wrong("the server has ended")

    def health(self) -> dict:
        connection = self.connect(30)
        connection.request("GET", "/health")
        found = json.loads(connection.getresponse().read())
        connection.close()
        return found

    def wait_until_idle(self, seconds: float) -> float:
        """How long it took."""
        begin = time.monotonic()
        while True:
            found = self.health()
            if found["running"] == 0 and found["waiting"] == 0:
                return time.monotonic() - begin
            if time.monotonic() - begin > seconds:
                raise Wrong(f"{seconds} s after the last client left, {found['running']} sequences run and {found['waiting']} wait")
            time.sleep(0.05)

    def end(self) -> float:
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            if self.process.wait(30) != 0:
                raise Wrong(f"the server ended with {self.process.returncode}")
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Wrong("the server did not end within 30 s")
        return time.monotonic() - begin


class Client:
    """One of many: it asks until the time is over, now on one connection, now on a new one."""

    def __init__(self, number: int, arguments, server: Server, expected: Expected, shared):
        self.random = random.Random(arguments.seed * 1000 + number)
        self.arguments, self.server, self.expected, self.shared = arguments, server, expected, shared
        self.connection = None

    def run(self, until: float):
        asks = [(self.greedy, 10), (self.chat, 6), (self.sampled, 3), (self.scores, 2), (self.several, 1), (self.too_much, 1), (self.nonsense, 1),
                (self.leaves, 3)]
        kinds, weights = zip(*asks)
        while time.monotonic() < until and not self.shared.has_failed():
            ask = self.random.choices(kinds, weights)[0]
            begin = time.monotonic()
            try:
                ask()
            except Wrong as error:
                self.shared.fail(f"{ask.__name__}: {error}")
            except (OSError, http.client.HTTPException, ValueError, KeyError, IndexError) as error:
                self.shared.fail(f"{ask.__name__}: {type(error).__name__} {error}")
            self.shared.count(ask.__name__, time.monotonic() - begin)
            if self.random.random() < 0.3:
                self.hang_up()
        self.hang_up()

    def hang_up(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def post(self, path: str, body) -> http.client.HTTPResponse:
        if not self.connection:
            self.connection = self.server.connect()
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            self.connection.request("POST", path, raw, {"Content-Type": "application/json"})
            return self.connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # A connection that was left idle for long is the server's to close; a new one is not.
            self.hang_up()
            self.connection = self.server.connect()
            self.connection.request("POST", path, raw, {"Content-Type": "application/json"})
            return self.connection.getresponse()

    def asked(self, path: str, body: dict, status: int = 200) -> dict:
        response = self.post(path, body)
        raw = response.read()
        if response.status != status:
            raise Wrong(f"status {response.status}, not {status}: {raw[:300]!r}")
        answer = json.loads(raw)
        if ("error" in answer) != (status != 200):
            raise Wrong(f"status {status} with {raw[:300]!r}")
        return answer

    def text(self, path: str, body: dict) -> str:
        """Of an answer, in one piece or as a stream."""
        is_chat = "chat" in path
        if self.random.random() < 0.5:
            choice = self.asked(path, body)["choices"][0]
            return choice["message"]["content"] if is_chat else choice["text"]
        response = self.post(path, dict(body, stream=True))
        if response.status != 200:
            raise Wrong(f"status {response.status}: {response.read()[:300]!r}")
        text, is_done = "", False
        for line in response.read().decode().split("\n"):
            if line == "data: [DONE]":
                is_done = True
            elif line.startswith("data: "):
                event = json.loads(line[6:])
                if "error" in event:
                    raise Wrong(f"a stream that fails: {line[:300]}")
                piece = event["choices"][0]
                text += (piece["delta"].get("content", "") if is_chat else piece["text"])
        if not is_done:
            raise Wrong("a stream without an end")
        return text

    def same(self, what: str, got: str, wanted: str):
        if got != wanted:
            raise Wrong(f"{what}: {got!r} instead of {wanted!r}")

    def greedy(self):
        i = self.random.randrange(len(PROMPTS))
        got = self.text("/v1/completions", dict(prompt=PROMPTS[i], max_tokens=ADDED, temperature=0))
        self.same(f"prompt {i}", got, self.expected.texts[i])

    def chat(self):
        i = self.random.randrange(len(CHATS))
        messages = [dict(role=role, content=content) for role, content in CHATS[i]]
        got = self.text("/v1/chat/completions", dict(messages=messages, max_tokens=ADDED, temperature=0))
        wanted = self.expected.chats[i] if self.expected.chats[i] is not None else self.shared.first(("chat", i), got)
        self.same(f"chat {i}", got, wanted)

    def sampled(self):
        i, seed = self.random.randrange(len(PROMPTS)), self.random.randrange(8)
        got = self.text("/v1/completions", dict(prompt=PROMPTS[i], max_tokens=ADDED, temperature=0.8, seed=seed))
        self.same(f"prompt {i} with seed {seed}", got, self.shared.first((i, seed), got))

    def scores(self):
        i = self.random.randrange(len(PROMPTS))
        answer = self.asked("/v1/completions", dict(prompt=PROMPTS[i], max_tokens=1, temperature=0, logprobs=1, echo=True))
        found = answer["choices"][0]["logprobs"]["token_logprobs"]
        if len(found) != answer["usage"]["prompt_tokens"] + answer["usage"]["completion_tokens"] or any(s is None or s > 0 for s in found[1:]):
            raise Wrong(f"prompt {i}: {found} are no scores of its tokens")

    def several(self):
        """More prompts than places."""
        which = [self.random.randrange(len(PROMPTS)) for _ in range(self.arguments.batch + 3)]
        answer = self.asked("/v1/completions", dict(prompt=[PROMPTS[i] for i in which], max_tokens=ADDED, temperature=0))
        for i, choice in zip(which, answer["choices"], strict=True):
            self.same(f"prompt {i} of several", choice["text"], self.expected.texts[i])

    def too_much(self):
        body = self.random.choice([dict(prompt="a", max_tokens=self.arguments.context), dict(prompt=[1] * (self.arguments.context + 1)),
                                   dict(prompt="a", logprobs=1000), dict(prompt="a", n=5), dict(prompt=[1 << 30])])
        self.asked("/v1/completions", body, 400)

    def nonsense(self):
        raw = self.random.choice([b"", b"{", b"[" * 5000, b"null", b'{"prompt": "\xff\xfe"}', bytes(self.random.randrange(256) for _ in range(500))])
        response = self.post(self.random.choice(["/v1/completions", "/v1/chat/completions"]), raw)
        body = response.read()
        if response.status != 400 or "error" not in json.loads(body):
            raise Wrong(f"status {response.status} to {raw[:40]!r}: {body[:300]!r}")

    def leaves(self):
        """In the middle of an answer that would take as long as the context has room, or before anything of it came."""
        self.hang_up()
        body = dict(prompt=PROMPTS[3], max_tokens=self.arguments.context - 64, temperature=1.0, ignore_eos=True, stream=self.random.random() < 0.7)
        connection = self.server.connect()
        connection.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
        how = self.random.randrange(3)
        if how == 0:
            time.sleep(self.random.random() * 0.2)
        elif body["stream"]:
            response = connection.getresponse()
            for _ in range(self.random.randrange(1, 20)):
                response.readline()
        else:
            time.sleep(0.4)  # an answer in one piece is begun by then
        connection.close()


class Shared:
    def __init__(self):
        self.lock = threading.Lock()
        self.times, self.firsts, self.failures = collections.defaultdict(list), {}, []

    def fail(self, line: str):
        with self.lock:
            self.failures.append(line)

    def has_failed(self) -> bool:
        return len(self.failures) >= 5

    def count(self, kind: str, seconds: float):
        with self.lock:
            self.times[kind].append(seconds)

    def first(self, key, text: str) -> str:
        with self.lock:
            return self.firsts.setdefault(key, text)


def load(arguments, server: Server, expected: Expected, shared: Shared) -> list[tuple[float, int]]:
    """Resident bytes by the time since the beginning."""
    begin = time.monotonic()
    until = begin + 60 * arguments.minutes
    clients = [Client(i, arguments, server, expected, shared) for i in range(arguments.clients)]
    memory = []
    with concurrent.futures.ThreadPoolExecutor(arguments.clients) as pool:
        running = [pool.submit(client.run, until) for client in clients]
        while any(not each.done() for each in running):
            memory.append((time.monotonic() - begin, server.resident()))
            time.sleep(1)
        for each in running:
            each.result()
    return memory


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--zigzag", required=True)
    arguments.add_argument("--model", default="bundled:zigzag-tiny")
    arguments.add_argument("--map", default="full")
    arguments.add_argument("--backend", default="cpu")
    arguments.add_argument("--clients", type=int, default=64)
    arguments.add_argument("--minutes", type=float, default=10)
    arguments.add_argument("--batch", type=int, default=8)
    arguments.add_argument("--context", type=int, default=1024)
    arguments.add_argument("--growth", type=float, default=8, help="MiB by which memory may differ between warm and the end")
    arguments.add_argument("--seed", type=int, default=1)
    arguments = arguments.parse_args()
    arguments.zigzag = shutil.which(arguments.zigzag) or sys.exit(f"{arguments.zigzag}: there is no such program; build it")
    shared = Shared()
    with tempfile.TemporaryDirectory() as scratch:
        model = with_template(arguments.model, pathlib.Path(scratch))
        expected = Expected(arguments, model)
        server = Server(arguments, model)
        try:
            memory = load(arguments, server, expected, shared)
            idle = server.wait_until_idle(5)
            after = server.resident()
            ended = server.end()
        except Wrong as error:
            server.process.kill()
            sys.exit(f"FAILED: {error}")
    print(f"{arguments.clients} clients, {arguments.minutes:g} minutes, batch {arguments.batch}, context {arguments.context}, map {arguments.map}")
    print(f"{'request':<10} {'count':>8} {'median ms':>10} {'longest ms':>11}")
    for kind, times in sorted(shared.times.items()):
        print(f"{kind:<10} {len(times):>8} {1000 * statistics.median(times):>10.1f} {1000 * max(times):>11.1f}")
    warm = [resident for when, resident in memory if when >= 12 * arguments.minutes]
    growth = (after - warm[0]) / 2**20 if warm else 0
    fifths = [statistics.mean([resident for when, resident in memory if part <= when / (12 * arguments.minutes) < part + 1] or [0]) for part in range(5)]
    print(f"resident: {warm[0] / 2**20:.1f} MiB after a fifth of the time, {max(warm) / 2**20:.1f} at most, {after / 2**20:.1f} at the end ({growth:+.1f})")
    print("resident, mean of each fifth: " + ", ".join(f"{mean / 2**20:.1f}" for mean in fifths) + " MiB")
    print(f"idle {idle:.2f} s after the last client left; ended {ended:.2f} s after it was told to")
    if growth > arguments.growth:
        shared.fail(f"memory grew by {growth:.1f} MiB")
    for line in shared.failures:
        print(f"FAILED: {line}")
    sys.exit(1 if shared.failures else 0)


if __name__ == "__main__":
    main()
