// PostGraphile over the schema `bench` (views.sql): session looked up and given to PostgreSQL as settings, by which the views show rows.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { grafserv } from 'postgraphile/grafserv/node'
import { postgraphile } from 'postgraphile'
import { makePgService } from 'postgraphile/adaptors/pg'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'
import pg from 'pg'

const session = JSON.parse(readFileSync(new URL('../statements.json', import.meta.url))).session
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10, idleTimeoutMillis: 0 })

async function pgSettings (request) {
  const token = (request.headers.authorization ?? '').replace('Bearer ', '')
  if (!token) return {}
  const values = [createHash('sha256').update(token).digest()]
  const [viewer] = (await pool.query({ name: 'session', text: session, values })).rows
  if (!viewer || !['LOCAL_OFFICER', 'PROVINCIAL_OFFICER'].includes(viewer.role)) return {}
  return { 'bench.pool': viewer.pool ?? '*', 'bench.account': viewer.account }
}

const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ pool, schemas: ['bench'] })],
  schema: { defaultBehavior: '-insert -update -delete +list +connection' },
  grafast: { context: async (sent) => ({ pgSettings: await pgSettings(sent.node.req) }) },
  grafserv: { graphiql: false, watch: false, websockets: false, graphqlPath: '/graphql' }
}

const server = createServer()
const instance = postgraphile(preset)
await instance.createServ(grafserv).addTo(server)
if (process.env.BENCH_SDL) {
  const { printSchema } = await import('postgraphile/graphql')
  process.stdout.write(printSchema(await instance.getSchema()))
}
server.listen(Number(process.env.PORT), '127.0.0.1')
