// The measured part of the schema under Mercurius with JIT: loaders, prepared statements, session and role checked.
import { createHash, createHmac, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import mercurius from 'mercurius'
import { defaultFieldResolver } from 'graphql'
import pg from 'pg'

const sql = JSON.parse(readFileSync(new URL('../statements.json', import.meta.url)))
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10, idleTimeoutMillis: 0 })
const KEY = Buffer.alloc(32, 'k')
const OFFICERS = ['LOCAL_OFFICER', 'PROVINCIAL_OFFICER']

const ask = async (name, values) => (await pool.query({ name, text: sql[name], values })).rows

async function viewerOf (request) {
  const token = (request.headers.authorization ?? '').replace('Bearer ', '')
  if (!token) return null
  return (await ask('session', [createHash('sha256').update(token).digest()]))[0] ?? null
}

function officer (viewer) {
  if (!viewer || !OFFICERS.includes(viewer.role)) throw new Error('NOT_ALLOWED')
  return viewer
}

const byKey = (name, key, more = () => []) => async (queries, context) => {
  const keys = [...new Set(queries.map(({ obj }) => key(obj)).filter((each) => each != null))]
  const rows = keys.length ? await ask(name, [keys, ...more(context)]) : []
  const found = new Map(rows.map((row) => [row.k, row]))
  return queries.map(({ obj }) => found.get(key(obj)) ?? null)
}

const listByKey = (name, key) => async (queries) => {
  const rows = await ask(name, [[...new Set(queries.map(({ obj }) => key(obj)))]])
  const found = new Map()
  for (const row of rows) {
    if (!found.has(row.k)) found.set(row.k, [])
    found.get(row.k).push(row)
  }
  return queries.map(({ obj }) => found.get(key(obj)) ?? [])
}

const nameOf = (kind, field) => async (queries) => {
  const keys = [...new Set(queries.map(({ obj }) => obj[field]).filter(Boolean).map((code) => `${kind}:${code}`))]
  const found = new Map((keys.length ? await ask('Code', [keys]) : []).map((row) => [row.k, row.name]))
  return queries.map(({ obj }) => found.get(`${kind}:${obj[field]}`) ?? null)
}

const file = (field) => byKey('File', (obj) => obj[field])
const division = (field) => byKey('Division', (obj) => obj[field])
const section = (name) => listByKey(name, (obj) => obj.key)

const page = async (name, size, values) => {
  const [rows, [{ n }]] = await Promise.all([ask(name, [size + 1, ...values]), ask(`${name}Count`, values)])
  const nodes = rows.slice(0, size)
  return { totalCount: n, nodes, pageInfo: { hasNextPage: rows.length > size, endCursor: nodes.at(-1)?.cursor ?? null } }
}

// The verb: the same locks, checks, rows, chain and announcement as in the hand-written endpoint.
async function approve (_, { input }, { viewer }) {
  if (officer(viewer).role !== 'PROVINCIAL_OFFICER') throw new Error('NOT_ALLOWED')
  const id = input.applicationId.replace('Application_', '')
  const opinion = input.opinion?.trim()
  if (opinion?.length > 1000) throw new Error('INVALID')
  const client = await pool.connect()
  const query = async (name, values) => (await client.query({ name, text: sql[name], values })).rows
  try {
    await client.query('BEGIN')
    const [row] = await query('approveLock', [id])
    if (!row || row.stage !== input.stage || (row.claimed_by_id && row.claimed_by_id !== viewer.account && row.held)) throw new Error('ALREADY_REVIEWED')
    const [facts] = await query('approveFacts', [id, viewer.account, row.expert_id, row.revision_id])
    if (facts.own || facts.decided) throw new Error('NOT_ALLOWED')
    const record = {
      id: randomUUID(), application_id: id, number: row.records_count + 1, round: row.round, at: row.now, actor_id: viewer.account,
      actor_name: facts.name, actor_role: facts.role, move: 'APPROVE', from_stage: row.stage, to_stage: 'FINAL_REVIEW',
      revision_id: row.revision_id, opinion, reject_reason: null, field_reasons: []
    }
    const hash = createHmac('sha256', KEY).update(row.last_hash).update(JSON.stringify(record)).digest()
    await query('approveWrite', [id, row.now, hash, record.id, record.number, row.round, viewer.account, facts.name, facts.role,
      row.revision_id, opinion, row.last_hash])
    await query('announce', [JSON.stringify({ event: 'applicationMoved', application: id, pool: row.pool_code, stage: 'FINAL_REVIEW' })])
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
  return (await ask('approved', [id]))[0]
}

const resolvers = {
  Mutation: { applicationApprove: approve },
  ApplicationApproveResult: { resolveType: () => 'Application' },
  Query: {
    application: async (_, { id }, { viewer }) =>
      (await ask('application', [id.replace('Application_', ''), officer(viewer).pool]))[0] ?? null,
    applications: (_, { first }, { viewer }) => page('applications', first, [officer(viewer).pool]),
    publicNotices: (_, { first }) => page('publicNotices', first, [])
  },
  Profile: { basicInfo: (row) => row, evaluationInfo: (row) => row }
}

const loaders = {
  Application: {
    pool: division('poolCode'),
    records: listByKey('records', (obj) => obj.key),
    profile: byKey('Profile', (obj) => obj.revisionId, ({ viewer }) => [viewer.pool])
  },
  PublicNotice: { pool: division('poolCode'), specialties: listByKey('noticeSpecialties', (obj) => obj.key) },
  NoticeSpecialty: { specialty: byKey('Specialty', (obj) => obj.code) },
  Specialty: { parent: byKey('Specialty', (obj) => obj.parentCode) },
  BasicInfo: {
    sexName: nameOf('SEX', 'sex'),
    ethnicGroupName: nameOf('ETHNIC_GROUP', 'ethnicGroup'),
    politicalAffiliationName: nameOf('POLITICAL', 'politicalAffiliation'),
    portrait: file('portraitId'),
    idFront: file('idFrontId'),
    idBack: file('idBackId'),
    residence: division('residenceCode')
  },
  EvaluationInfo: {
    homePool: division('homePoolCode'),
    specialties: section('ChosenSpecialty'),
    avoidanceUnits: async (queries) => {
      const declared = await section('AvoidanceUnit')(queries)
      return queries.map(({ obj }, place) => obj.employer === null
        ? declared[place]
        : [{ name: obj.employer, creditCode: obj.employerCreditCode, relation: '现工作单位', until: null, declared: false }, ...declared[place]])
    }
  },
  ChosenSpecialty: { specialty: byKey('Specialty', (obj) => obj.code) },
  Education: { levelName: nameOf('EDUCATION', 'level'), degreeName: nameOf('DEGREE', 'degree'), certificate: file('certificateId') },
  TitleEntry: { title: byKey('Title', (obj) => obj.titleCode), certificate: file('certificateId') },
  QualificationEntry: { qualification: byKey('Qualification', (obj) => obj.qualificationCode), certificate: file('certificateId') },
  OtherMaterial: { file: file('fileId') },
  Profile: {
    education: section('Education'),
    titles: section('TitleEntry'),
    workHistory: section('WorkEntry'),
    qualifications: section('QualificationEntry'),
    otherMaterials: section('OtherMaterial')
  }
}

const app = Fastify()
app.register(mercurius, {
  schema: readFileSync(process.env.BENCH_SCHEMA, 'utf8'),
  resolvers,
  loaders,
  jit: 1,
  defaultFieldResolver,
  context: async (request) => ({ viewer: await viewerOf(request) })
})
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
