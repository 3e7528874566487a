/* ws.cjs - the peer on Node.js and ws (Debian's node-ws), written as its README says: one process, one event loop.
 *
 *     node ws.cjs PORT        listens on 127.0.0.1 and prints `listening`; SIGTERM or SIGINT end it
 *     node ws.cjs --version   of ws and of Node.js
 *
 * Serves /echo, /deflate (permessage-deflate without context takeover for clients that offer it; elsewhere
 * none), /broadcast, /room/NAME, /pings, /sleep ("sleep N" holds the event loop for N ms) and POST
 * /publish/NAME. A client that does not read its replies is not slowed down: ws has no limit of its own there.
 *
 * SPDX-License-Identifier: MIT
 */
'use strict';
const http = require('node:http');
module.paths.push('/usr/share/nodejs'); /* where Debian has it, for a Node.js that is not Debian's */
const { WebSocket, WebSocketServer } = require('ws');

const MESSAGE_MAX = 16 << 20;
const PING_MILLISECONDS = 20000;

const common = { noServer: true, clientTracking: false, maxPayload: MESSAGE_MAX };
const plain = new WebSocketServer({ ...common, perMessageDeflate: false });
const deflating = new WebSocketServer({
    ...common,
    perMessageDeflate: {
        serverNoContextTakeover: true,
        clientNoContextTakeover: true,
        threshold: 0,
        zlibDeflateOptions: { level: 1 }, /* as weir's and libwebsockets' */
    },
});
const rooms = new Map(); /* path -> Set of clients */
const pinged = new Set();

function echo(client) {
    client.on('message', (data, isBinary) => client.send(data, { binary: isBinary }));
}

function publish(path, data, isBinary) {
    for (const client of rooms.get(path) ?? []) {
        if (client.readyState === WebSocket.OPEN) client.send(data, { binary: isBinary });
    }
}

function join(client, path) {
    let members = rooms.get(path);
    if (!members) rooms.set(path, (members = new Set()));
    members.add(client);
    client.on('message', (data, isBinary) => publish(path, data, isBinary));
    client.on('close', () => {
        members.delete(client);
        if (members.size === 0 && rooms.get(path) === members) rooms.delete(path);
    });
}

/* Whoever has not answered the last ping is cut off. */
function echoWithPings(client) {
    echo(client);
    client.isAlive = true;
    pinged.add(client);
    client.on('pong', () => { client.isAlive = true; });
    client.on('close', () => pinged.delete(client));
}

function pingAll() {
    for (const client of pinged) {
        if (!client.isAlive) {
            client.terminate();
            continue;
        }
        client.isAlive = false;
        client.ping();
    }
}

const never = new Int32Array(new SharedArrayBuffer(4)); /* nobody wakes who waits for it */

function echoWithSleep(client) {
    client.on('message', (data, isBinary) => {
        const told = /^sleep (\d+)/.exec(data.toString('latin1', 0, 32));
        if (told) Atomics.wait(never, 0, 0, Number(told[1]));
        client.send(data, { binary: isBinary });
    });
}

function serve(client, path) {
    client.on('error', () => client.terminate());
    if (path === '/pings') echoWithPings(client);
    else if (path === '/sleep') echoWithSleep(client);
    else if (path === '/broadcast' || path.startsWith('/room/')) join(client, path);
    else echo(client);
}

function answer(request, response) {
    if (request.method !== 'POST' || !request.url.startsWith('/publish/')) {
        response.writeHead(404).end();
        return;
    }
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
        publish('/room/' + request.url.slice('/publish/'.length), Buffer.concat(pieces), false);
        response.writeHead(200).end();
    });
}

function main(argument) {
    if (argument === '--version') {
        console.log(`ws ${require('ws/package.json').version}, Node.js ${process.versions.node}`);
        return;
    }
    const server = http.createServer(answer);
    server.on('upgrade', (request, socket, head) => {
        const owner = request.url === '/deflate' ? deflating : plain;
        owner.handleUpgrade(request, socket, head, (client) => serve(client, request.url));
    });
    setInterval(pingAll, PING_MILLISECONDS);
    for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
    server.listen({ host: '127.0.0.1', port: Number(argument), backlog: 4096 }, () => console.log('listening'));
}

main(process.argv[2]);
