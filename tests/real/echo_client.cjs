/* echo_client.cjs - talks to an echo route with node's ws. Run by test_echo_node.py.
 *
 *     NODE_PATH=/usr/share/nodejs node echo_client.cjs ws://127.0.0.1:9000/echo MESSAGES
 *
 * Prints one line per step; its status is 0 only if all of them were right.
 *
 * SPDX-License-Identifier: MIT
 */
'use strict';
const assert = require('node:assert');
const { once } = require('node:events');
const WebSocket = require('ws');

const [url, messages] = process.argv.slice(2);

async function open() {
    const socket = new WebSocket(url);
    await once(socket, 'open');
    return socket;
}

async function echoed(socket, message, binary) {
    const answer = once(socket, 'message');
    socket.send(message, { binary });
    const [data, isBinary] = await answer;
    assert.strictEqual(isBinary, binary);
    assert.ok(data.equals(Buffer.from(message)), `${data.length} bytes came back for ${message.length}`);
}

async function text() {
    const socket = await open();
    for (const message of ['hello', '', 'Grüße, 世界 🌍', 'x'.repeat(70000)])
        await echoed(socket, message, false);
    socket.close();
    await once(socket, 'close');
}

async function binary() {
    const socket = await open();
    for (const size of [0, 1, 125, 126, 127, 65535, 65536, 1000000])
        await echoed(socket, Buffer.alloc(size, 0xa5), true);
    socket.close();
    await once(socket, 'close');
}

async function fragments() {
    const socket = await open();
    const answer = once(socket, 'message');
    socket.send('one ', { fin: false });
    socket.ping('between');
    socket.send('two ', { fin: false });
    socket.send('three', { fin: true });
    const [data] = await answer;
    assert.strictEqual(data.toString(), 'one two three');
    socket.close();
    await once(socket, 'close');
}

async function ping() {
    const socket = await open();
    const pong = once(socket, 'pong');
    socket.ping('are you there?');
    assert.strictEqual((await pong)[0].toString(), 'are you there?');
    socket.close();
    await once(socket, 'close');
}

async function close() {
    for (const [code, reason] of [[1000, ''], [1001, 'away'], [3000, 'library'], [4001, 'user quit']]) {
        const socket = await open();
        socket.close(code, reason);
        const [seen] = await once(socket, 'close');
        assert.strictEqual(seen, code);
    }
}

async function inOrder() {
    const socket = await open();
    const count = Number(messages);
    let next = 0;
    const done = new Promise((resolve, reject) => {
        socket.on('message', (data) => {
            if (data.toString() !== String(next))
                reject(new Error(`got ${data} instead of ${next}`));
            if (++next === count)
                resolve();
        });
        socket.on('close', (code) => reject(new Error(`closed with ${code} after ${next} messages`)));
    });
    for (let i = 0; i < count; i++)
        socket.send(String(i));
    await done;
    socket.removeAllListeners('close');
    socket.close();
    await once(socket, 'close');
}

async function main() {
    for (const step of [text, binary, fragments, ping, close, inOrder]) {
        await step();
        console.log(`${step.name} ok`);
    }
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
