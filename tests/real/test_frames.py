"""test_frames - frames and messages (RFC 6455, 5 to 8) over raw sockets: invalid ones, unusual but valid ones, and
clients that vanish.

SPDX-License-Identifier: MIT
"""

import socket
import struct
import time
import unittest

from process_state import settled_descriptors
from raw_client import BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, RSV1, RSV2, RSV3, TEXT
from raw_client import RawClient, close_frame, frame, request
from weir_process import Weir, WeirTestCase, scaled, until

ECHO = "[server]\nlisten = 127.0.0.1:PORT\n[route /echo]\nhandler = echo\n"
MAX_MESSAGE_SIZE = 65536
UTF8 = "Grüße, 世界 🌍".encode()


class FramesTestCase(WeirTestCase):
    configuration = ECHO + "[websocket]\nmax_message_size = 64KiB\n"

    def client(self):
        client = RawClient(self.weir.port, upgrade="/echo")
        self.addCleanup(client.socket.close)
        return client

    def assertEcho(self, client, payload=b"still alive"):
        client.send(frame(BINARY, payload))
        self.assertEqual(client.frame(), (BINARY, payload))

    def assertClosed(self, client, code):
        """The next frame is a Close with this code; once it is answered, the stream ends in order."""
        answer = client.frame()
        self.assertEqual(answer.opcode, CLOSE, answer)
        self.assertEqual(answer.close_code, code)
        answer.payload[2:].decode()
        client.send_all_it_takes(close_frame(code))
        self.assertTrue(client.at_end())

    def assertFails(self, data, code):
        client = self.client()
        client.send(data)
        self.assertClosed(client, code)


class Wrong(FramesTestCase):
    def test_unmasked_frames_fail_with_1002(self):
        self.assertFails(frame(TEXT, b"hello", masked=False), 1002)
        self.assertFails(frame(CLOSE, masked=False), 1002)

    def test_reserved_bits_fail_with_1002(self):
        for bit in (RSV1, RSV2, RSV3, RSV1 | RSV2 | RSV3):
            for opcode in (TEXT, BINARY, PING, CLOSE):
                with self.subTest(bit=bit, opcode=opcode):
                    self.assertFails(frame(opcode, b"", flags=FIN | bit), 1002)

    def test_reserved_opcodes_fail_with_1002(self):
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
            with self.subTest(opcode=opcode):
                self.assertFails(frame(opcode, b"x"), 1002)

    def test_long_or_fragmented_control_frames_fail_with_1002(self):
        for opcode in (PING, PONG, CLOSE):
            with self.subTest(opcode=opcode):
                self.assertFails(frame(opcode, bytes(126)), 1002)
                self.assertFails(frame(opcode, b"", flags=0), 1002)

    def test_misplaced_continuations_fail_with_1002(self):
        self.assertFails(frame(CONTINUATION, b"of nothing"), 1002)
        self.assertFails(frame(TEXT, b"begun", flags=0) + frame(TEXT, b"begun again"), 1002)

    def test_claimed_length_is_refused_at_once(self):
        """Only the header is sent: an answer that waited for the payload would never come."""
        for length in (2 << 30, (2 << 30) - 1, 1 << 40, MAX_MESSAGE_SIZE + 1):
            with self.subTest(length=length):
                self.assertFails(frame(BINARY, length=length), 1009)

    def test_length_with_the_top_bit_is_refused(self):
        client = self.client()
        client.send(frame(BINARY, length=1 << 63))
        self.assertIn(client.frame().close_code, (1002, 1009))

    def test_sum_of_fragments_is_limited(self):
        half = bytes(MAX_MESSAGE_SIZE // 2)
        client = self.client()
        client.send(frame(BINARY, half, flags=0) + frame(CONTINUATION, half))
        self.assertEqual(client.frame(), (BINARY, half + half))
        self.assertFails(frame(BINARY, half, flags=0) + frame(CONTINUATION, length=len(half) + 1), 1009)

    def test_text_that_is_not_utf8_fails_with_1007(self):
        for text in (b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"ok\x80", b"\xe2\x82"):
            with self.subTest(text=text):
                self.assertFails(frame(TEXT, text), 1007)

    def test_invalid_utf8_is_found_in_an_unfinished_message(self):
        self.assertFails(frame(TEXT, b"\xc3", flags=0) + frame(CONTINUATION, b"\x28", flags=0), 1007)
        self.assertFails(frame(TEXT, b"ok \xff then nothing", length=1000), 1007)

    def test_invalid_close_payloads_are_refused(self):
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535):
            with self.subTest(code=code):
                self.assertFails(close_frame(code), 1002)
        self.assertFails(frame(CLOSE, b"\x03"), 1002)
        self.assertFails(close_frame(1000, b"\xff"), 1007)

    def test_nothing_is_handled_after_the_error(self):
        client = self.client()
        client.send(frame(TEXT, b"before") + frame(3) + frame(TEXT, b"after"))
        self.assertEqual(client.frame(), (TEXT, b"before"))
        self.assertClosed(client, 1002)


class Right(FramesTestCase):
    def test_messages_of_every_length_form_are_echoed(self):
        client = self.client()
        for size in (0, 1, 124, 125, 126, 127, 128, 65534, 65535, 65536):
            with self.subTest(size=size):
                self.assertEcho(client, bytes(range(256)) * (size // 256) + bytes(size % 256))

    def test_fragments_split_within_a_character_are_joined(self):
        client = self.client()
        for split in range(len(UTF8) + 1):
            client.send(frame(TEXT, UTF8[:split], flags=0) + frame(CONTINUATION, UTF8[split:]))
            self.assertEqual(client.frame(), (TEXT, UTF8))

    def test_empty_fragments_make_an_empty_message(self):
        client = self.client()
        client.send(frame(TEXT, flags=0) + frame(CONTINUATION, flags=0) + frame(CONTINUATION))
        self.assertEqual(client.frame(), (TEXT, b""))

    def test_ping_between_fragments_is_answered_at_once(self):
        client = self.client()
        client.send(frame(TEXT, b"one ", flags=0) + frame(PING, b"p1") + frame(CONTINUATION, b"two ", flags=0))
        self.assertEqual(client.frame(), (PONG, b"p1"))
        client.send(frame(PING, b"p2") + frame(CONTINUATION, b"three"))
        self.assertEqual(client.frame(), (PONG, b"p2"))
        self.assertEqual(client.frame(), (TEXT, b"one two three"))

    def test_ping_payloads_come_back(self):
        client = self.client()
        for payload in (b"", b"\x00\xff", bytes(125)):
            client.send(frame(PING, payload))
            self.assertEqual(client.frame(), (PONG, payload))

    def test_unsolicited_pong_is_ignored(self):
        client = self.client()
        client.send(frame(PONG, b"nobody asked"))
        self.assertEcho(client)

    def test_frames_sent_byte_by_byte_are_read(self):
        client = self.client()
        stream = (
            frame(TEXT, UTF8)
            + frame(BINARY, bytes(300))
            + frame(TEXT, b"one ", flags=0)
            + frame(PING, b"between")
            + frame(CONTINUATION, b"two")
            + close_frame(1000, b"done")
        )
        for byte in stream:
            client.send(bytes([byte]))
        expected = [(TEXT, UTF8), (BINARY, bytes(300)), (PONG, b"between"), (TEXT, b"one two")]
        self.assertEqual([client.frame() for _ in expected], expected)
        self.assertClosed(client, 1000)

    def test_many_frames_in_one_segment_are_read(self):
        client = self.client()
        count = scaled(1000, least=100)
        client.send(b"".join(frame(TEXT, str(number).encode()) for number in range(count)))
        for number in range(count):
            self.assertEqual(client.frame(), (TEXT, str(number).encode()))


class Close(FramesTestCase):
    def test_code_and_reason_come_back_then_the_stream_ends(self):
        for payload in (b"", struct.pack("!H", 1000), struct.pack("!H", 4999) + "auf Wiedersehen ✓".encode(),
                        struct.pack("!H", 1001) + b"r" * 123):
            with self.subTest(payload=payload):
                client = self.client()
                client.send(frame(CLOSE, payload))
                self.assertEqual(client.frame(), (CLOSE, payload))
                self.assertTrue(client.at_end())

    def test_replies_come_before_the_close(self):
        client = self.client()
        client.send(frame(TEXT, b"last words") + close_frame(1000))
        self.assertEqual(client.frame(), (TEXT, b"last words"))
        self.assertEqual(client.frame().close_code, 1000)
        self.assertTrue(client.at_end())

    def test_data_after_the_close_is_not_handled_and_resets_nothing(self):
        client = self.client()
        client.send(close_frame(1000) + frame(TEXT, b"too late") * 100)
        self.assertEqual(client.frame().close_code, 1000)
        time.sleep(0.05)
        client.send_all_it_takes(frame(TEXT, b"far too late"))
        self.assertTrue(client.at_end())

    def test_close_timeout_ends_a_client_that_never_answers(self):
        """The server closes first, for an error, and the client stays silent: close_timeout ends it."""
        with Weir(ECHO + "[websocket]\nclose_timeout = 200ms\n") as weir:
            before = settled_descriptors(weir)
            with RawClient(weir.port, upgrade="/echo") as client:
                client.send(frame(3))
                self.assertEqual(client.frame().close_code, 1002)
                until(lambda: weir.descriptors() <= before, "the silent client's descriptor is free")


class Vanishing(unittest.TestCase):
    def setUp(self):
        self.weir = Weir(ECHO + "[log]\nlevel = warning\n")
        self.addCleanup(self.weir.stop)
        self.before = settled_descriptors(self.weir)

    def assertNothingLeft(self):
        try:
            until(lambda: self.weir.descriptors() <= self.before, "descriptors are closed")
        except AssertionError:
            self.fail(f"{self.weir.descriptors()} descriptors are open, {self.before} were before")
        with RawClient(self.weir.port, upgrade="/echo") as client:
            client.send(frame(TEXT, b"alive"))
            self.assertEqual(client.frame(), (TEXT, b"alive"))

    def test_frame_and_fin_in_one_segment_is_answered(self):
        """The end arrives together with data, so it is announced only once."""
        for _ in range(200):
            with RawClient(self.weir.port, upgrade="/echo") as client:
                client.socket.send(frame(TEXT, b"goodbye"), socket.MSG_MORE)  # waits for the FIN
                client.socket.shutdown(socket.SHUT_WR)
                self.assertEqual(client.frame(), (TEXT, b"goodbye"))
                self.assertTrue(client.at_end())
        self.assertNothingLeft()

    def test_frame_and_fin_then_gone_leaves_nothing(self):
        clients = [RawClient(self.weir.port, upgrade="/echo") for _ in range(200)]
        for client in clients:
            client.socket.send(frame(TEXT, b"goodbye"), socket.MSG_MORE)
            client.socket.close()
        self.assertNothingLeft()

    def test_half_a_frame_then_gone_leaves_nothing(self):
        whole = frame(BINARY, bytes(2000))
        for size in (1, 2, 3, 7, 8, 9, 1000, len(whole) - 1):
            for leave in (RawClient.vanish, lambda client: client.socket.close()):
                client = RawClient(self.weir.port, upgrade="/echo")
                client.send(whole[:size])
                leave(client)
        self.assertNothingLeft()

    def test_reset_during_the_handshake_leaves_nothing(self):
        for _ in range(scaled(2000, least=200)):
            client = RawClient(self.weir.port)
            client.send(request("/no/route"))
            client.vanish()
        self.assertNothingLeft()

    def test_half_a_message_then_gone_leaves_nothing(self):
        for _ in range(20):
            client = RawClient(self.weir.port, upgrade="/echo")
            client.send(frame(TEXT, b"begun", flags=0) + frame(CONTINUATION, b"more", flags=0))
            client.vanish()
        self.assertNothingLeft()

    def test_a_thousand_clients_that_vanish_leave_nothing(self):
        """After no request, half of one, a whole one, or with an unread answer; some reset, some end the stream."""
        for number in range(scaled(1000, least=100)):
            upgrade = request("/echo" if number % 5 else "/no/route")
            client = RawClient(self.weir.port)
            client.send((b"", upgrade[: len(upgrade) // 2], upgrade, upgrade)[number % 4])
            if number % 4 == 3:
                self.assertEqual(client.response().status, 101)
                client.send(frame(BINARY, bytes(1000)))
            if number % 3 == 0:
                client.socket.close()
            else:
                client.vanish()
        self.assertNothingLeft()


if __name__ == "__main__":
    unittest.main()
