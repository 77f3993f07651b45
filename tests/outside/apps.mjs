// One expert's day with Apollo Client or urql: who am I, an image up, a submission, and the news of it. Printed as one line of JSON.
import { readFileSync } from "node:fs";
import { ApolloClient, ApolloLink, InMemoryCache, gql } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { Client, cacheExchange, fetchExchange, subscriptionExchange } from "@urql/core";
import UploadHttpLink from "apollo-upload-client/UploadHttpLink.mjs";
import { createClient } from "graphql-ws";
import { pipe, subscribe as listen } from "wonka";
import WebSocket from "ws";

const [url, which, token, image] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}`, "X-Registry-Client": "outside", "Accept-Language": "en" };
const socket = createClient({
  url: url.replace("http", "ws"),
  webSocketImpl: WebSocket,
  connectionParams: { authorization: `Bearer ${token}` },
  retryAttempts: 0,
});

const documents = {
  who: gql`query Who { viewer { account { name } expert { standing draftProfile { id version } applications(first: 1) { nodes { id stage round } } } } }`,
  upload: gql`mutation Upload($input: FileUploadInput!) { fileUpload(input: $input) { __typename ... on File { purpose name mediaType } ... on Problem { code message } } }`,
  submit: gql`mutation Submit($input: ApplicationSubmitInput!) { applicationSubmit(input: $input) { __typename ... on Application { stage } ... on Problem { code message } } }`,
  moved: gql`subscription Moved($id: ID!) { applicationMoved(applicationId: $id) { stage } }`,
};

function apollo() {
  const over = ApolloLink.split(({ operationType }) => operationType === "subscription", new GraphQLWsLink(socket), new UploadHttpLink({ uri: url, headers }));
  const client = new ApolloClient({ link: over, cache: new InMemoryCache() });
  return {
    query: async (query) => (await client.query({ query })).data,
    mutate: async (mutation, variables) => (await client.mutate({ mutation, variables })).data,
    hear: (query, variables, tell) => client.subscribe({ query, variables }).subscribe((each) => tell(each.data)),
  };
}

function urql() {
  const forwardSubscription = ({ query, variables }) => ({ subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }) });
  const exchanges = [cacheExchange, fetchExchange, subscriptionExchange({ forwardSubscription })];
  const client = new Client({ url, exchanges, preferGetMethod: false, fetchOptions: { headers } });
  const data = (result) => {
    if (result.error) throw result.error;
    return result.data;
  };
  return {
    query: async (query) => data(await client.query(query, {})),
    mutate: async (mutation, variables) => data(await client.mutation(mutation, variables)),
    hear: (query, variables, tell) => pipe(client.subscription(query, variables), listen((each) => tell(data(each)))),
  };
}

const client = { apollo, urql }[which]();
const who = await client.query(documents.who);
const [draft] = who.viewer.expert.applications.nodes;
const file = new File([readFileSync(image)], "证件.jpg", { type: "image/jpeg" });
const up = await client.mutate(documents.upload, { input: { file, purpose: "PORTRAIT" } });
const heard = new Promise((tell) => client.hear(documents.moved, { id: draft.id }, tell));
await new Promise((later) => setTimeout(later, 500)); // that a subscription has begun is not told
const submitted = await client.mutate(documents.submit, { input: { applicationId: draft.id, commitmentAccepted: true, avoidanceAccepted: true } });
console.log(
  JSON.stringify({
    who: who.viewer.account.name,
    up: up.fileUpload.name ?? up.fileUpload.code,
    submitted: submitted.applicationSubmit.stage,
    heard: (await heard).applicationMoved.stage,
  }),
);
process.exit(0);
