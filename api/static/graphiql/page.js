/* The GraphiQL page: a bar to sign in and out by cookie, GraphiQL below it, a panel of ready operations in it. */

const { React, ReactDOM, GraphiQL, GraphiQLPluginExplorer, graphqlWs } = window;

const ENDPOINT = "/graphql";
// A header that other sites cannot send along with the cookie; the API asks for it on every request by cookie.
const HEADERS = { "content-type": "application/json", accept: "application/json", "x-registry-client": "graphiql" };

const VIEWER = "query { viewer { account { name phoneMasked role } } }";
const SESSION_OPEN = `mutation ($input: SessionOpenInput!) {
  sessionOpen(input: $input) {
    __typename
    ... on SessionOpened { viewer { account { name } } }
    ... on SecondFactorNeeded { ticket enrolment { secret uri phoneCodeNeeded } }
    ... on Problem { code message }
  }
}`;
const SESSION_CONFIRM = `mutation ($input: SessionConfirmInput!) {
  sessionConfirm(input: $input) {
    __typename
    ... on Problem { code message }
  }
}`;
const PHONE_CODE_SEND = `mutation ($input: PhoneCodeSendInput!) {
  phoneCodeSend(input: $input) {
    __typename
    ... on Problem { code message }
  }
}`;
const SESSION_CLOSE = "mutation { sessionClose(input: {}) { __typename } }";

const socket = graphqlWs.createClient({ url: new URL(ENDPOINT, location.href.replace(/^http/, "ws")).href });
const send = GraphiQL.createFetcher({ url: ENDPOINT, headers: HEADERS, wsClient: socket, enableIncrementalDelivery: false });

async function execute(query, variables) {
  const response = await fetch(ENDPOINT, { method: "POST", headers: HEADERS, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await response.json();
  if (errors) throw new Error(errors.map((each) => each.message).join("; "));
  return data;
}

/* The bar */

const problem = document.getElementById("problem");
const signIn = document.getElementById("sign-in");
const secondFactor = document.getElementById("second-factor");
const signOut = document.getElementById("sign-out");
let known; // who the page last knew to be signed in
let ticket; // of a sign-in that waits for its second factor
let phoneToProve; // before the second factor is set up

async function showViewer() {
  const { viewer } = await execute(VIEWER);
  const text = viewer ? [viewer.account.name, viewer.account.phoneMasked, viewer.account.role].join(" · ") : "";
  // A socket belongs to whoever opened it: drop it, and open subscriptions start again as the new viewer.
  if (known !== undefined && known !== text) socket.terminate();
  known = text;
  document.getElementById("viewer").value = text;
  showForm();
}

/* One form at a time: the second factor while a sign-in waits for it, whoever may be signed in. */
function showForm() {
  secondFactor.hidden = !ticket;
  signIn.hidden = Boolean(ticket || known);
  signOut.hidden = Boolean(ticket || !known);
}

function askSecondFactor(asked) {
  ticket = asked?.ticket;
  const secret = document.getElementById("secret");
  secret.textContent = asked?.enrolment?.secret.match(/.{1,4}/g).join(" ") ?? "";
  secret.href = asked?.enrolment?.uri ?? ""; // opens an app on the same device
  document.getElementById("enrolment").hidden = !asked?.enrolment;
  document.getElementById("phone-code").hidden = !asked?.enrolment?.phoneCodeNeeded;
  signIn.reset();
  secondFactor.reset();
  showForm();
  if (ticket) secondFactor.elements.code.focus();
}

async function openSession(phone, password) {
  phoneToProve = phone;
  const { sessionOpen } = await execute(SESSION_OPEN, { input: { phone, password, transport: "COOKIE" } });
  return sessionOpen.__typename === "SecondFactorNeeded" ? askSecondFactor(sessionOpen) : showSession(sessionOpen);
}

async function confirmSession(code, phoneCode) {
  const { sessionConfirm } = await execute(SESSION_CONFIRM, { input: { ticket, code, phoneCode } });
  return showSession(sessionConfirm);
}

async function sendCode() {
  const { phoneCodeSend } = await execute(PHONE_CODE_SEND, { input: { phone: phoneToProve, purpose: "SECOND_FACTOR" } });
  if (phoneCodeSend.__typename !== "PhoneCodeSent") throw new Error(`${phoneCodeSend.message} (${phoneCodeSend.code})`);
}

async function showSession(answer) {
  if (answer.__typename !== "SessionOpened") throw new Error(`${answer.message} (${answer.code})`);
  await showViewer();
  askSecondFactor(undefined);
}

async function closeSession() {
  await execute(SESSION_CLOSE);
  // The next person at this screen finds neither answers nor variables. Cleared last, after GraphiQL's own delayed writing.
  addEventListener("pagehide", () => sessionStorage.clear());
  location.reload();
}

/* Runs what a person asked for and shows in the bar why it failed. */
async function attempt(action) {
  problem.textContent = "";
  try {
    await action();
  } catch (error) {
    problem.textContent = error.message;
  }
}

signIn.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(() => openSession(signIn.elements.phone.value, signIn.elements.password.value));
});

secondFactor.addEventListener("submit", (event) => {
  event.preventDefault();
  const { code, "phone-code": phoneCode } = secondFactor.elements;
  const digits = code.value;
  code.value = ""; // good for one try; the phone code stays for the next one
  attempt(() => confirmSession(digits, phoneCode.value || null));
});

document.getElementById("send-code").addEventListener("click", () => attempt(sendCode));

document.getElementById("anew").addEventListener("click", () => attempt(() => askSecondFactor(undefined)));

signOut.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(closeSession);
});

addEventListener("focus", () => attempt(showViewer)); // signed out elsewhere, or expired

async function showAccounts() {
  const { accounts } = document.documentElement.dataset; // empty outside development
  if (!accounts) return;
  const response = await fetch(accounts);
  for (const { label, phone, password } of await response.json()) {
    const button = document.createElement("button");
    [button.textContent] = label.split(" "); // the Chinese part, so that all fit into one line
    button.title = label;
    button.addEventListener("click", () => attempt(() => openSession(phone, password)));
    document.getElementById("accounts").append(button);
  }
}

/* GraphiQL */

const element = React.createElement;
const TITLE = "常用操作 Operations";

function readyOperations(operations) {
  const groups = [...new Set(operations.map((each) => each.group))];

  function Content() {
    const { tabs, moveTab, changeTab } = GraphiQL.React.useEditorContext();

    function open(tab) {
      const index = tabs.findIndex((each) => each.title === tab.title);
      if (index >= 0) return changeTab(index);
      moveTab([...tabs, tab]); // addTab takes no contents
      changeTab(tabs.length);
    }

    const entry = (each) => {
      const tab = asTab(each);
      const button = element("button", { onClick: () => open(tab) }, each.title, element("code", null, tab.title));
      return element("li", { key: tab.title }, button);
    };
    const section = (group) => [
      element("h3", { key: `${group} title` }, group),
      element("ul", { key: group }, operations.filter((each) => each.group === group).map(entry)),
    ];
    const heading = element("div", { className: "graphiql-doc-explorer-title" }, TITLE);
    return element("section", { className: "ready-operations" }, heading, groups.map(section));
  }

  return { title: TITLE, icon: GraphiQL.React.PlayIcon, content: Content };
}

/* GraphiQL calls a tab after its operation. */
function asTab({ query, variables }) {
  const [, title] = query.match(/^(?:query|mutation|subscription)\s+(\w+)/m);
  return { id: title, hash: "", title, operationName: title, query, variables: JSON.stringify(variables, null, 2), headers: null, response: null };
}

async function run(request, options) {
  const answer = await send(request, options);
  const changes = options?.documentAST?.definitions.some((each) => each.operation === "mutation");
  if (changes) await attempt(showViewer); // it may have been a session mutation
  return answer;
}

async function start() {
  const operations = await (await fetch(new URL("tabs.json", import.meta.url))).json();
  const ready = readyOperations(operations);
  const isFirstOfGroup = (each, index) => operations.findIndex(({ group }) => group === each.group) === index;
  const props = {
    fetcher: run,
    storage: sessionStorage, // variables hold personal data: what GraphiQL remembers ends with the browser's tab
    plugins: [ready, GraphiQLPluginExplorer.explorerPlugin()],
    visiblePlugin: ready,
    defaultTabs: operations.filter(isFirstOfGroup).map(asTab), // more would not fit side by side; the panel opens the rest
    defaultEditorToolsVisibility: "variables",
    defaultQuery: "",
    inputValueDeprecation: true,
  };
  ReactDOM.createRoot(document.getElementById("graphiql")).render(element(GraphiQL, props));
  await Promise.all([showAccounts(), showViewer()]);
}

attempt(start);
