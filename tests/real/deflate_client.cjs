/* deflate_client.cjs - talks to an echo route with node's ws and permessage-deflate. Run by test_compression.py.
 *
 *     NODE_PATH=/usr/share/nodejs node deflate_client.cjs ws://127.0.0.1:9000/echo MESSAGES OFFER ANSWER
 *
 * OFFER is a JSON object of parameters, ANSWER the Sec-WebSocket-Extensions that must come. The messages are 0 to
 * 1 MiB long, texts and binaries, by turns compressible and random, the same in every run. Prints the bytes of
 * payload that went each way, those sent and those received on the wire; the status is 0 only if each message came
 * back as it was, in order.
 *
 * SPDX-License-Identifier: MIT
 */
'use strict';
const assert = require('node:assert');
const { once } = require('node:events');
const WebSocket = require('ws');

const MIB = 1 << 20;
const AHEAD = 32; /* messages that may be under way */
const HEAD = Buffer.from('Grüße, 世界 🌍 ');

const [url, messages, offer, expected] = process.argv.slice(2);

/* mulberry32, by Tommy Ettinger: numbers from 0 to below 2^32. */
let state = 7692;
function random() {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
}

function pools() {
    const noise = Buffer.alloc(2 * MIB), printable = Buffer.alloc(2 * MIB);
    for (let i = 0; i < noise.length; i++) {
        noise[i] = random();
        printable[i] = 33 + noise[i] % 94;
    }
    let lines = '';
    for (let i = 0; lines.length < 2 * MIB; i++)
        lines += `{"number": ${i}, "square": ${i * i}}\n`;
    const repetitive = Buffer.from(lines);
    return [[true, repetitive], [false, repetitive], [true, printable], [false, noise]];
}

/* The largest and the empty one first, then as many between 1 KiB and 2 KiB as between 512 KiB and 1 MiB. */
function sizeOf(index) {
    return index < 2 ? [MIB, 0][index] : Math.floor(2 ** (20 * random() / 2 ** 32)) - 1;
}

function* some(count) {
    const sources = pools();
    for (let index = 0; index < Math.floor(count / 4); index++) {
        const size = sizeOf(index);
        for (const [isText, pool] of sources) {
            const head = isText && size >= HEAD.length ? HEAD : Buffer.alloc(0);
            const start = random() % MIB;
            yield [isText, Buffer.concat([head, pool.subarray(start, start + size - head.length)])];
        }
    }
}

function camelCase(parameters) {
    const renamed = ([name, value]) => [name.replace(/_(.)/g, (_, letter) => letter.toUpperCase()), value];
    return Object.fromEntries(Object.entries(parameters).map(renamed));
}

async function main() {
    const socket = new WebSocket(url, { perMessageDeflate: camelCase(JSON.parse(offer)) });
    const upgrade = once(socket, 'upgrade');
    await once(socket, 'open');
    const [response] = await upgrade;
    assert.strictEqual(response.headers['sec-websocket-extensions'], expected);
    const source = some(Number(messages));
    const underWay = [];
    let payload = 0, answered = 0;

    function sendSome() {
        while (underWay.length < AHEAD) {
            const { value, done } = source.next();
            if (done)
                return;
            const [isText, message] = value;
            underWay.push(value);
            socket.send(message, { binary: !isText });
        }
    }

    await new Promise((resolve, reject) => {
        socket.on('message', (data, isBinary) => {
            const [isText, message] = underWay.shift();
            if (isText === isBinary || !data.equals(message))
                reject(new Error(`message ${answered}: ${data.length} bytes for ${message.length}, or others`));
            payload += message.length;
            answered++;
            sendSome();
            if (underWay.length === 0)
                resolve();
        });
        socket.on('close', (code) => reject(new Error(`closed with ${code} after ${answered} messages`)));
        sendSome();
    });
    assert.strictEqual(answered, Math.floor(Number(messages) / 4) * 4);
    console.log(payload, socket._socket.bytesWritten, socket._socket.bytesRead);
    socket.removeAllListeners('close');
    socket.close();
    await once(socket, 'close');
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
