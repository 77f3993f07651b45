// What the clients graphql-ws and graphql-sse hear of one announcement each, printed as one line of JSON.
import { createClient as overEvents } from "graphql-sse";
import { createClient as overSocket } from "graphql-ws";
import WebSocket from "ws";

const url = process.argv[2];
const query = 'subscription { heard(of: "bell") }';

async function tell() {
  const body = JSON.stringify({ query: 'mutation { say(event: "bell", word: "rings") }' });
  await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
}

async function firstOf(client) {
  const results = client.iterate({ query });
  const ringing = setInterval(tell, 200);
  const { value } = await results.next();
  clearInterval(ringing);
  await results.return?.();
  client.dispose();
  return value;
}

const events = await firstOf(overEvents({ url, retryAttempts: 0 }));
const socket = await firstOf(overSocket({ url: url.replace("http", "ws"), webSocketImpl: WebSocket, retryAttempts: 0 }));
console.log(JSON.stringify({ events, socket }));
process.exit(0);
