/* client_peer.cjs - the four services of conf/tutorial.ini with Debian's node-ws, for test_client.py.
 *
 *     NODE_PATH=/usr/share/nodejs node client_peer.cjs
 *
 * Prints its port, serves until it is killed.
 *
 * SPDX-License-Identifier: MIT
 */
'use strict';
const WebSocket = require('ws');

const server = new WebSocket.Server({
    host: '127.0.0.1', port: 0, perMessageDeflate: { threshold: 0 },
    handleProtocols: (offered) => [...offered].includes('chat') && 'chat',
});
const consumers = new Set();

function echo(socket) {
    socket.on('message', (message, binary) => socket.send(message, { binary }));
}

function light(socket, status) {
    socket.on('message', () => socket.send(`the light has turned ${status}`));
}

function distribute(socket) {
    consumers.add(socket);
    socket.on('message', (message, binary) => consumers.forEach((consumer) => consumer.send(message, { binary })));
    socket.on('close', () => consumers.delete(socket));
}

function command(socket) {
    let login = null;
    socket.on('message', (message) => {
        if (login === null)
            login = JSON.parse(message);
        else
            socket.send(message.readInt32LE() === 2 ? message : message.subarray(0, 4));
    });
}

server.on('connection', (socket, request) => {
    const path = request.url;
    if (path === '/')
        echo(socket);
    else if (path === '/light/on' || path === '/light/off')
        light(socket, path.split('/').pop());
    else if (path === '/distribute')
        distribute(socket);
    else if (path === '/command')
        command(socket);
    else
        socket.close(4040, `no route for ${path}`);
});
server.on('listening', () => console.log(server.address().port));
