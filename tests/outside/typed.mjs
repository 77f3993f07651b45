// TypeScript for the schema and for each set of our documents, by graphql-codegen with the map of scalars that the README gives.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { codegen } from "@graphql-codegen/core";
import * as documents from "@graphql-codegen/typed-document-node";
import * as types from "@graphql-codegen/typescript";
import * as operations from "@graphql-codegen/typescript-operations";
import { parse } from "graphql";

const config = { strictScalars: true, scalars: JSON.parse(process.argv[2]), enumsAsTypes: true };
const schema = parse(readFileSync("schema.graphql", "utf8"));
const pluginMap = { types, operations, documents };

async function write(filename, found, plugins) {
  writeFileSync(filename, await codegen({ filename, schema, documents: found, plugins, pluginMap, config }));
}

await write("generated/schema.ts", [], [{ types: {} }]);
for (const set of readdirSync("documents")) {
  const files = readdirSync(`documents/${set}`).map((each) => `documents/${set}/${each}`);
  const found = files.map((location) => ({ location, document: parse(readFileSync(location, "utf8")) }));
  await write(`generated/${set}.ts`, found, [{ operations: {} }, { documents: {} }]);
}
