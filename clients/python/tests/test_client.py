"""The client against the service that ``AGENT_MEMORY_SERVICE`` names."""

from __future__ import annotations

import json
import os
import threading
import unittest
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer

from agent_memory_client import Client, Problem


class ClientTest(unittest.TestCase):
    def setUp(self) -> None:
        self.client = Client(os.environ["AGENT_MEMORY_SERVICE"])
        self.addCleanup(self.client.close)
        self.shop = self.client.agent("local", "local", "sandbox")
        # A caller of its own for each test.
        self.caller = f"+44{uuid.uuid4().int % 10**10:010}"

    def test_a_conversation_goes_on_in_another_process(self) -> None:
        call = self.shop.start(caller_number=self.caller)
        assert call.start_turn is not None
        self.assertEqual(call.start_turn["say"], ["Welcome to the cheese shop. What may it be?"])
        call.call("book", cheese_type="brie")
        again = self.shop.conversation(call.id)
        self.assertEqual(again.preview()["keys"]["cheese_type"]["kept"], True)
        first = again.end(qa="resolved")
        self.assertEqual(call.end(), {**first, "turn": None})
        self.assertTrue(call.add_outcome(handoff={"reason": "refund", "to": "billing"}))
        metrics = self.shop.start(caller_number=self.caller).end()["metrics"]
        self.assertEqual(metrics["REPEAT_CALLER_HANDOFF_TO"], "billing")

    def test_memory_is_administered(self) -> None:
        self.shop.patch_memory(self.caller, {"cheese_type": "brie", "booking_day": [1, 2.5]})
        self.assertEqual(self.shop.read_memory(self.caller)["booking_day"]["value"], [1, 2.5])
        self.assertEqual(self.shop.export_memory(self.caller)["identifier_kind"], "phone")
        self.assertEqual(self.shop.erase_memory(self.caller, key="cheese_type")["deleted"]["fields"], 1)
        erasure = self.shop.erase_memory(self.caller)
        self.assertEqual(erasure["deleted"]["fields"], 1)
        self.assertEqual(erasure["receipt"]["act"], "erase")
        self.assertEqual(self.shop.read_memory(self.caller), {})

    def test_a_refusal_is_a_problem(self) -> None:
        with self.assertRaises(Problem) as refused:
            self.shop.patch_memory(self.caller, {"mood": "good"})
        problem = refused.exception
        self.assertEqual((problem.status, problem.type), (422, "urn:agent-memory:problem:not-storable"))
        self.assertEqual(problem.errors[0]["path"], "fields.mood")
        with self.assertRaises(Problem) as refused:
            self.client.agent("nobody", "p", "live").describe()
        self.assertEqual(refused.exception.status, 404)

    def test_agents_and_analytics_are_listed(self) -> None:
        self.assertEqual(self.client.agents()[0]["project"], "local")
        self.assertEqual(self.shop.describe()["state_keys"], ["booking_day", "cheese_type"])
        self.assertIn("repeat_conversations", self.client.analytics(project="local", from_="2020-01-01"))


class Scripted(BaseHTTPRequestHandler):
    """Gives the answers of a script, one after another, and notes under which keys it was asked."""

    answers: list[tuple[int, str | None, dict[str, object]]] = []
    keys: list[str | None] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.keys.append(self.headers["Idempotency-Key"])
        status, retry_after, body = self.answers.pop(0)
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        if retry_after is not None:
            self.send_header("Retry-After", retry_after)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is said of requests."""


class RepeatTest(unittest.TestCase):
    def setUp(self) -> None:
        server = HTTPServer(("127.0.0.1", 0), Scripted)
        self.addCleanup(server.server_close)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        client = Client(f"http://127.0.0.1:{server.server_port}")
        self.addCleanup(client.close)
        self.agent = client.agent("local", "local", "sandbox")
        Scripted.keys = []

    def test_what_other_calls_were_faster_than_is_sent_again_under_the_same_key(self) -> None:
        busy: dict[str, object] = {"type": "urn:agent-memory:problem:conversation-busy"}
        Scripted.answers = [(409, "0", busy), (503, "0", {}), (200, None, {"turn": {"outcome": "returned"}})]
        self.assertEqual(self.agent.conversation("one").call("book"), {"outcome": "returned"})
        self.assertEqual((len(Scripted.keys), len(set(Scripted.keys))), (3, 1))

    def test_what_will_not_do_better_is_sent_once(self) -> None:
        Scripted.answers = [(409, None, {"type": "urn:agent-memory:problem:conversation-ended"})]
        with self.assertRaises(Problem) as refused:
            self.agent.conversation("one").call("book")
        self.assertEqual((refused.exception.status, len(Scripted.keys)), (409, 1))

    def test_what_might_happen_twice_is_sent_once(self) -> None:
        Scripted.answers = [(503, "0", {})]
        with self.assertRaises(Problem):
            self.agent.erase_memory("+441632960001")
        self.assertEqual(Scripted.keys, [None])


if __name__ == "__main__":
    unittest.main()
