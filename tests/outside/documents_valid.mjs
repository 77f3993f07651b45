// The faults that graphql-inspector finds in our documents against our schema, and what they use that is deprecated, as JSON.
import { readFileSync, readdirSync } from "node:fs";
import { validate } from "@graphql-inspector/core";
import { Source, buildSchema } from "graphql";

const schema = buildSchema(readFileSync("schema.graphql", "utf8"));
const files = readdirSync("documents", { recursive: true }).filter((each) => each.endsWith(".graphql"));
const sources = files.map((each) => new Source(readFileSync(`documents/${each}`, "utf8"), each));
const found = sources.flatMap((source) => validate(schema, [source]));
const faults = found.flatMap((each) => [...each.errors, ...each.deprecated].map((fault) => `${each.source.name}: ${fault.message}`));
console.log(JSON.stringify({ documents: sources.length, faults }));
