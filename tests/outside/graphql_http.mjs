// The audits of GraphQL over HTTP by the package graphql-http: prints a line for each that fails, and how many hold.
import { auditServer } from "graphql-http";

const results = await auditServer({ url: process.argv[2] });
const failed = results.filter((each) => each.status !== "ok");
for (const each of failed) console.log(each.id, each.name, each.reason);
console.log(`${results.length - failed.length} of ${results.length}`);
process.exit(0);
