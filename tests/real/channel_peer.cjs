/* channel_peer.cjs - a client of channels that says what it is told to, and remembers all that it hears until it is
 * closed. Run by test_channels_together.py: in a page of a browser as it is, where it defines Peer, and in node:
 *
 *     NODE_PATH=/usr/share/nodejs node channel_peer.cjs < PEERS
 *
 * whose first line is an array of what Peer's constructor takes. Prints `ready` when all are, speaks after a second
 * line, and prints an array of what they heard once all are closed.
 *
 * SPDX-License-Identifier: MIT
 */
'use strict';

class Peer {
    /* Says `first` at once, and is ready when that is answered; without it, when it is connected. `says` is for later.
     * What is said and heard is {text} or {base64}. */
    constructor({ url, protocols, first, says }) {
        this.says = says;
        this.heard = [];
        this.socket = new Peer.WebSocket(url, protocols);
        this.socket.binaryType = 'arraybuffer';
        this.ready = new Promise((resolve) => {
            this.socket.onopen = () => (first ? this.socket.send(first) : resolve());
            this.socket.onmessage = ({ data }) => {
                this.heard.push(typeof data === 'string' ? { text: data } : { base64: Peer.encode(data) });
                resolve();
            };
        });
        this.closed = new Promise((resolve) => {
            this.socket.onclose = ({ code }) => resolve({ code, heard: this.heard });
        });
    }

    static encode(buffer) {
        return btoa(String.fromCharCode(...new Uint8Array(buffer)));
    }

    static decode(base64) {
        return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    }

    speak() {
        for (const { text, base64 } of this.says)
            this.socket.send(base64 === undefined ? text : Peer.decode(base64));
    }

    static async all(settings) {
        Peer.peers = settings.map((each) => new Peer(each));
        await Promise.all(Peer.peers.map((peer) => peer.ready));
    }

    static speakAll() {
        for (const peer of Peer.peers)
            peer.speak();
    }

    static allClosed() {
        return Promise.all(Peer.peers.map((peer) => peer.closed));
    }
}

async function inNode() {
    Peer.WebSocket = require('ws');
    const lines = require('node:readline').createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    await Peer.all(JSON.parse((await lines.next()).value));
    console.log('ready');
    await lines.next();
    Peer.speakAll();
    process.stdout.write(JSON.stringify(await Peer.allClosed()) + '\n', () => process.exit(0));
}

if (typeof window === 'undefined')
    inNode();
else
    Peer.WebSocket = window.WebSocket;
