-- What PostGraphile is given: a schema of views under the names of our answers, read in the role of whoever the session says.
DROP SCHEMA IF EXISTS bench CASCADE;
CREATE SCHEMA bench;

CREATE VIEW bench.applications AS
SELECT id AS key, 'Application_' || id AS id, kind, stage, round, applicant, employer, pool_code, revision_id, submitted_at, stage_since,
       due_at, coalesce(due_at < registry_now(), FALSE) AS overdue
FROM public.applications
WHERE round > 0 AND (current_setting('bench.pool', TRUE) = '*' OR pool_code = current_setting('bench.pool', TRUE));
COMMENT ON VIEW bench.applications IS E'@primaryKey key
@foreignKey (pool_code) references bench.divisions (code)|@fieldName pool|@behavior -manyRelation:resource:list -manyRelation:resource:connection
@foreignKey (revision_id) references bench.profiles (key)|@fieldName profile|@behavior -manyRelation:resource:list -manyRelation:resource:connection';

CREATE VIEW bench.waiting AS SELECT * FROM bench.applications WHERE stage IN ('SECOND_REVIEW', 'FINAL_REVIEW', 'OBJECTION');
COMMENT ON VIEW bench.waiting IS E'@primaryKey key
@foreignKey (pool_code) references bench.divisions (code)|@fieldName pool|@behavior -manyRelation:resource:list -manyRelation:resource:connection';

CREATE VIEW bench.records AS
SELECT application_id, number, at, move, from_stage, to_stage, actor_name, opinion FROM public.application_records;
COMMENT ON VIEW bench.records IS E'@primaryKey application_id,number
@foreignKey (application_id) references bench.waiting (key)|@foreignFieldName recordsConnection|@foreignSimpleFieldName records';

CREATE FUNCTION bench.waiting_total() RETURNS integer LANGUAGE sql STABLE AS
$$ SELECT count(*)::integer FROM (SELECT FROM bench.waiting LIMIT 1000) counted $$;

CREATE VIEW bench.public_notices AS
SELECT id AS key, 'PublicNotice_' || id AS id, name, employer, pool_code, opened_at, first_day, last_day, closes_at, tentative
FROM public.public_notices WHERE state = 'OPEN' AND closes_at > registry_now();
COMMENT ON VIEW bench.public_notices IS E'@primaryKey key
@foreignKey (pool_code) references bench.divisions (code)|@fieldName pool|@behavior -manyRelation:resource:list -manyRelation:resource:connection';

CREATE FUNCTION bench.public_notices_total() RETURNS integer LANGUAGE sql STABLE AS
$$ SELECT count(*)::integer FROM (SELECT FROM bench.public_notices LIMIT 1000) counted $$;

CREATE VIEW bench.notice_specialties AS SELECT notice_id, position, specialty_code AS code FROM public.notice_specialties;
COMMENT ON VIEW bench.notice_specialties IS E'@primaryKey notice_id,position
@foreignKey (notice_id) references bench.public_notices (key)|@foreignFieldName specialtiesConnection|@foreignSimpleFieldName specialties
@foreignKey (code) references bench.specialties (code)|@fieldName specialty|@behavior -manyRelation:resource:list -manyRelation:resource:connection';

CREATE VIEW bench.divisions AS SELECT code, name FROM public.divisions;
COMMENT ON VIEW bench.divisions IS E'@primaryKey code';
CREATE VIEW bench.specialties AS SELECT code, name, parent_code FROM public.specialties;
COMMENT ON VIEW bench.specialties IS E'@primaryKey code
@foreignKey (parent_code) references bench.specialties (code)|@fieldName parent|@behavior -manyRelation:resource:list -manyRelation:resource:connection';
CREATE VIEW bench.titles AS SELECT code, name, series, rank FROM public.titles;
COMMENT ON VIEW bench.titles IS E'@primaryKey code';
CREATE VIEW bench.qualifications AS SELECT code, name FROM public.qualifications;
COMMENT ON VIEW bench.qualifications IS E'@primaryKey code';
CREATE VIEW bench.files AS SELECT id AS key, 'File_' || id AS id, media_type, width, height FROM public.files;
COMMENT ON VIEW bench.files IS E'@primaryKey key';

CREATE VIEW bench.profiles AS
SELECT id AS key, 'Profile_' || id AS id, number, state, frozen_at, name, former_name, id_type, id_number_masked, id_valid_from,
       id_valid_until, id_valid_long_term, sex, birth_date, ethnic_group, political_affiliation, health, portrait_id, id_front_id,
       id_back_id, second_phone_masked, email_masked, residence_code, address_masked, postcode, employer, employer_credit_code,
       employer_kind, department, post, work_status, working_since, years_in_field, source, home_pool_code,
       (SELECT c.name FROM public.codes c WHERE c.id = 'SEX:' || sex) AS sex_name,
       (SELECT c.name FROM public.codes c WHERE c.id = 'ETHNIC_GROUP:' || ethnic_group) AS ethnic_group_name,
       (SELECT c.name FROM public.codes c WHERE c.id = 'POLITICAL:' || political_affiliation) AS political_affiliation_name
FROM public.revisions
WHERE state <> 'DRAFT' AND (current_setting('bench.pool', TRUE) = '*' OR home_pool_code = current_setting('bench.pool', TRUE));
COMMENT ON VIEW bench.profiles IS E'@primaryKey key
@foreignKey (residence_code) references bench.divisions (code)|@fieldName residence|@behavior -manyRelation:resource:list -manyRelation:resource:connection
@foreignKey (home_pool_code) references bench.divisions (code)|@fieldName homePool|@behavior -manyRelation:resource:list -manyRelation:resource:connection
@foreignKey (portrait_id) references bench.files (key)|@fieldName portrait|@behavior -manyRelation:resource:list -manyRelation:resource:connection
@foreignKey (id_front_id) references bench.files (key)|@fieldName idFront|@behavior -manyRelation:resource:list -manyRelation:resource:connection
@foreignKey (id_back_id) references bench.files (key)|@fieldName idBack|@behavior -manyRelation:resource:list -manyRelation:resource:connection';

CREATE VIEW bench.profile_specialties AS SELECT revision_id, position, specialty_code AS code FROM public.revision_specialties;
COMMENT ON VIEW bench.profile_specialties IS E'@primaryKey revision_id,position
@foreignKey (revision_id) references bench.profiles (key)|@foreignFieldName specialtiesConnection|@foreignSimpleFieldName specialties
@foreignKey (code) references bench.specialties (code)|@fieldName specialty|@behavior -manyRelation:resource:list -manyRelation:resource:connection';

CREATE VIEW bench.avoidance_units AS
SELECT id AS revision_id, -1 AS position, employer AS name, employer_credit_code AS credit_code, '现工作单位' AS relation, NULL::date AS until,
       FALSE AS declared
FROM public.revisions WHERE employer IS NOT NULL
UNION ALL
SELECT revision_id, position, name, credit_code, relation, until, TRUE FROM public.avoidance_units;
COMMENT ON VIEW bench.avoidance_units IS E'@primaryKey revision_id,position
@foreignKey (revision_id) references bench.profiles (key)|@foreignFieldName avoidanceUnitsConnection|@foreignSimpleFieldName avoidanceUnits';

CREATE VIEW bench.education AS
SELECT revision_id, position, 'Education_' || id AS id, started_on, ended_on, school, major, level, mode, degree, certificate_number,
       is_highest, certificate_id,
       (SELECT c.name FROM public.codes c WHERE c.id = 'EDUCATION:' || level) AS level_name,
       (SELECT c.name FROM public.codes c WHERE c.id = 'DEGREE:' || degree) AS degree_name
FROM public.education;
COMMENT ON VIEW bench.education IS E'@primaryKey revision_id,position
@foreignKey (revision_id) references bench.profiles (key)|@foreignFieldName educationConnection|@foreignSimpleFieldName education
@foreignKey (certificate_id) references bench.files (key)|@fieldName certificate|@behavior -manyRelation:resource:list -manyRelation:resource:connection';

CREATE VIEW bench.title_entries AS
SELECT revision_id, position, 'TitleEntry_' || id AS id, title_code, certificate_number, obtained_on, issuer, certificate_id
FROM public.title_entries;
COMMENT ON VIEW bench.title_entries IS E'@primaryKey revision_id,position
@foreignKey (revision_id) references bench.profiles (key)|@foreignFieldName titlesConnection|@foreignSimpleFieldName titles
@foreignKey (title_code) references bench.titles (code)|@fieldName title|@behavior -manyRelation:resource:list -manyRelation:resource:connection
@foreignKey (certificate_id) references bench.files (key)|@fieldName certificate|@behavior -manyRelation:resource:list -manyRelation:resource:connection';

CREATE VIEW bench.work_entries AS
SELECT revision_id, position, 'WorkEntry_' || id AS id, started_on, ended_on, employer, post, duties FROM public.work_entries;
COMMENT ON VIEW bench.work_entries IS E'@primaryKey revision_id,position
@foreignKey (revision_id) references bench.profiles (key)|@foreignFieldName workHistoryConnection|@foreignSimpleFieldName workHistory';

CREATE VIEW bench.qualification_entries AS
SELECT revision_id, position, 'QualificationEntry_' || id AS id, qualification_code, certificate_number, obtained_on, valid_until, issuer,
       certificate_id
FROM public.qualification_entries;
COMMENT ON VIEW bench.qualification_entries IS E'@primaryKey revision_id,position
@foreignKey (revision_id) references bench.profiles (key)|@foreignFieldName qualificationsConnection|@foreignSimpleFieldName qualifications
@foreignKey (qualification_code) references bench.qualifications (code)|@fieldName qualification|@behavior -manyRelation:resource:list -manyRelation:resource:connection
@foreignKey (certificate_id) references bench.files (key)|@fieldName certificate|@behavior -manyRelation:resource:list -manyRelation:resource:connection';

CREATE VIEW bench.other_materials AS SELECT revision_id, position, 'OtherMaterial_' || id AS id, file_id FROM public.other_materials;
COMMENT ON VIEW bench.other_materials IS E'@primaryKey revision_id,position
@foreignKey (revision_id) references bench.profiles (key)|@foreignFieldName otherMaterialsConnection|@foreignSimpleFieldName otherMaterials
@foreignKey (file_id) references bench.files (key)|@fieldName file|@behavior -manyRelation:resource:list -manyRelation:resource:connection';

-- The verb as PostGraphile has verbs: a function. The same lock, checks, rows, chain and announcement as in the other peers.
CREATE FUNCTION bench.approve(case_key uuid, seen text, said text) RETURNS bench.applications LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    c public.applications; me public.accounts; now timestamptz := registry_now(); record_id uuid := gen_random_uuid();
    own boolean; decided boolean; due text[]; written text; digest bytea; found bench.applications;
BEGIN
    SELECT * INTO me FROM public.accounts WHERE id = current_setting('bench.account', TRUE)::uuid;
    IF current_setting('bench.pool', TRUE) IS DISTINCT FROM '*' OR length(btrim(said)) > 1000 THEN RAISE 'NOT_ALLOWED'; END IF;
    SELECT * INTO c FROM public.applications WHERE id = case_key AND round > 0 FOR UPDATE;
    IF c.id IS NULL OR c.stage <> seen OR (c.claimed_by_id <> me.id AND c.claimed_until > now) THEN RAISE 'ALREADY_REVIEWED'; END IF;
    SELECT me.phone_hash = a.phone_hash OR me.id_number_hash IN (a.id_number_hash, r.id_number_hash),
           EXISTS (SELECT FROM public.application_records WHERE application_id = c.id AND actor_id = me.id AND from_stage = 'FINAL_REVIEW'),
           (SELECT array_agg((date, kind)::text) FROM public.calendar_days)
    INTO own, decided, due
    FROM public.experts e JOIN public.accounts a ON a.id = e.account_id, public.revisions r WHERE e.id = c.expert_id AND r.id = c.revision_id;
    IF own OR decided THEN RAISE 'NOT_ALLOWED'; END IF;
    written := json_build_object('id', record_id, 'application_id', c.id, 'number', c.records_count + 1, 'round', c.round, 'at', now,
        'actor_id', me.id, 'actor_name', me.name, 'actor_role', me.role, 'move', 'APPROVE', 'from_stage', c.stage,
        'to_stage', 'FINAL_REVIEW', 'revision_id', c.revision_id, 'opinion', btrim(said))::text;
    digest := sha256('a key'::bytea || c.last_hash || convert_to(written, 'UTF8'));
    WITH moved AS (UPDATE public.applications
            SET stage = 'FINAL_REVIEW', stage_since = now, due_at = now + interval '7 days', claimed_by_id = NULL, claimed_by_name = NULL,
                claimed_until = NULL, records_count = records_count + 1, last_hash = digest WHERE id = c.id)
    INSERT INTO public.application_records (id, application_id, number, round, at, actor_id, actor_name, actor_role, move, from_stage,
        to_stage, revision_id, opinion, field_reasons, previous_hash, hash)
    VALUES (record_id, c.id, c.records_count + 1, c.round, now, me.id, me.name, me.role, 'APPROVE', c.stage, 'FINAL_REVIEW',
        c.revision_id, btrim(said), '[]', c.last_hash, digest);
    PERFORM pg_notify('registry_events', json_build_object('event', 'applicationMoved', 'application', c.id, 'pool', c.pool_code,
        'stage', 'FINAL_REVIEW')::text);
    SELECT * INTO found FROM bench.applications WHERE key = c.id;
    RETURN found;
END $$;
