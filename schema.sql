-- The schema after all migrations, to be read and compared; `diaodu migrate` makes the real one.
-- Made by `python tools/schema.py`; a test compares it with the migrations. The monthly partitions of the history are
-- made as time passes and do not stand here.

CREATE SCHEMA catalog;

CREATE SCHEMA engine;

CREATE SCHEMA fulfilment;

CREATE SCHEMA inventory;

CREATE SCHEMA kernel;

CREATE SCHEMA ordering;

CREATE SCHEMA organization;

CREATE SCHEMA party;

CREATE SCHEMA planning;

CREATE SCHEMA provisioning;

CREATE SCHEMA rules;

CREATE SCHEMA tmf;

CREATE SCHEMA workforce;

CREATE TABLE catalog.release (
    id integer NOT NULL,
    name text NOT NULL,
    digest bytea NOT NULL,
    document jsonb NOT NULL,
    published_at timestamp with time zone NOT NULL,
    effective_at timestamp with time zone NOT NULL
);

ALTER TABLE catalog.release ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME catalog.release_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE engine.broadcast (
    part smallint NOT NULL,
    id bigint NOT NULL,
    root_id bigint NOT NULL,
    name text NOT NULL,
    vars jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE engine.bulk (
    id bigint NOT NULL,
    verb text NOT NULL,
    filter jsonb NOT NULL,
    arguments jsonb NOT NULL,
    reason text NOT NULL,
    found integer NOT NULL,
    digest bytea NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    confirmed_at timestamp with time zone
);

CREATE TABLE engine.bulk_part (
    part smallint NOT NULL,
    bulk_id bigint NOT NULL,
    last_id bigint NOT NULL,
    done integer NOT NULL,
    refused integer NOT NULL,
    refusals jsonb NOT NULL,
    ended_at timestamp with time zone
);

CREATE TABLE engine.definition (
    id integer NOT NULL,
    key text NOT NULL,
    version integer NOT NULL,
    name text NOT NULL,
    bpmn bytea NOT NULL,
    digest bytea NOT NULL,
    deployed_at timestamp with time zone NOT NULL,
    suspended_at timestamp with time zone,
    suspended_by text
);

ALTER TABLE engine.definition ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME engine.definition_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE engine.external_task (
    part smallint NOT NULL,
    id bigint NOT NULL,
    root_id bigint NOT NULL,
    instance_id bigint NOT NULL,
    token_id bigint NOT NULL,
    node text NOT NULL,
    topic text NOT NULL,
    vars jsonb NOT NULL,
    settings jsonb NOT NULL,
    state smallint NOT NULL,
    due_at timestamp with time zone NOT NULL,
    attempts smallint NOT NULL,
    worker text,
    lock_token text,
    created_at timestamp with time zone NOT NULL
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='5000');

CREATE TABLE engine.human_task (
    part smallint NOT NULL,
    id bigint NOT NULL,
    root_id bigint NOT NULL,
    instance_id bigint NOT NULL,
    token_id bigint NOT NULL,
    node text NOT NULL,
    name text NOT NULL,
    planned boolean NOT NULL,
    pool integer NOT NULL,
    priority smallint NOT NULL,
    state smallint NOT NULL,
    reason text,
    assignee bigint,
    due_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    claimed_at timestamp with time zone,
    ended_at timestamp with time zone
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='5000');

CREATE TABLE engine.incident (
    part smallint NOT NULL,
    id bigint NOT NULL,
    root_id bigint NOT NULL,
    instance_id bigint,
    node text NOT NULL,
    job_id bigint NOT NULL,
    code text NOT NULL,
    message text NOT NULL,
    detail jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    resolved_at timestamp with time zone
);

CREATE TABLE engine.instance (
    part smallint NOT NULL,
    id bigint NOT NULL,
    root_id bigint NOT NULL,
    definition_id integer NOT NULL,
    business_key text NOT NULL,
    state smallint NOT NULL,
    tokens jsonb NOT NULL,
    vars jsonb NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    parent_id bigint,
    parent_token bigint
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='5000');

CREATE TABLE engine.job (
    part smallint NOT NULL,
    id bigint NOT NULL,
    root_id bigint NOT NULL,
    instance_id bigint,
    token_id bigint,
    kind text NOT NULL,
    name text NOT NULL,
    msg_key text,
    body jsonb NOT NULL,
    state smallint NOT NULL,
    due_at timestamp with time zone NOT NULL,
    attempts smallint DEFAULT 0 NOT NULL,
    deaths smallint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL
)
WITH (fillfactor='70');

CREATE TABLE engine.schedule (
    process text NOT NULL,
    node text NOT NULL,
    every text,
    remaining integer NOT NULL,
    due_at timestamp with time zone NOT NULL
);

CREATE TABLE engine.subscription (
    part smallint NOT NULL,
    instance_id bigint NOT NULL,
    name text NOT NULL,
    root_id bigint NOT NULL
);

CREATE VIEW engine.v_human_task AS
 SELECT part,
    id,
    root_id,
    node,
    name,
    pool,
    priority,
    state,
    reason,
    assignee,
    due_at,
    created_at,
    claimed_at,
    ended_at
   FROM engine.human_task;

CREATE TABLE fulfilment.bulk (
    id bigint NOT NULL,
    cause text NOT NULL,
    element text,
    per_second double precision NOT NULL,
    stop_share double precision NOT NULL,
    stop_least integer NOT NULL,
    reason text NOT NULL,
    found integer NOT NULL,
    digest text NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    confirmed_at timestamp with time zone,
    slots jsonb,
    stopped_at timestamp with time zone,
    stopped_by text
);

CREATE TABLE fulfilment.bulk_part (
    part smallint NOT NULL,
    bulk_id bigint NOT NULL,
    last_id bigint NOT NULL,
    resumed integer NOT NULL,
    mended integer NOT NULL,
    failed integer NOT NULL,
    ended_at timestamp with time zone
);

CREATE TABLE fulfilment.fallout (
    part smallint NOT NULL,
    id bigint NOT NULL,
    order_id bigint NOT NULL,
    subject text NOT NULL,
    kind text NOT NULL,
    work text,
    item_key text,
    element text,
    cause text NOT NULL,
    class text NOT NULL,
    told jsonb NOT NULL,
    advice text NOT NULL,
    state text NOT NULL,
    pool integer,
    assignee text,
    attempts smallint NOT NULL,
    failed_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone,
    resolution text,
    evidence jsonb,
    bulk_id bigint,
    opened_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
)
WITH (fillfactor='70');

CREATE TABLE fulfilment.qualification (
    part smallint NOT NULL,
    id bigint NOT NULL,
    kind text NOT NULL,
    external_id text,
    result text NOT NULL,
    document jsonb NOT NULL,
    made_by text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE inventory.address (
    id bigint NOT NULL,
    area integer,
    parent_id bigint,
    level smallint NOT NULL,
    name text NOT NULL,
    full_name text NOT NULL,
    box_id bigint
);

CREATE TABLE inventory.area (
    id integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    city text NOT NULL,
    unit_id integer NOT NULL,
    rural boolean NOT NULL,
    batches bigint DEFAULT 0 NOT NULL,
    topology integer DEFAULT 0 NOT NULL
);

CREATE TABLE inventory.product (
    area integer NOT NULL,
    id bigint NOT NULL,
    customer_id bigint NOT NULL,
    parent_id bigint,
    offering text NOT NULL,
    spec text,
    name text NOT NULL,
    state smallint NOT NULL,
    claimed_by bigint,
    characteristics jsonb NOT NULL,
    place_id bigint,
    realisations jsonb NOT NULL,
    order_id bigint NOT NULL,
    release_id integer NOT NULL,
    started_at timestamp with time zone,
    ended_at timestamp with time zone
);

CREATE TABLE inventory.request (
    area integer NOT NULL,
    id bigint NOT NULL,
    order_id bigint NOT NULL,
    revision integer NOT NULL,
    kind text NOT NULL,
    class smallint NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    body jsonb NOT NULL,
    state smallint NOT NULL,
    answer jsonb,
    served_at timestamp with time zone,
    told boolean NOT NULL,
    waits text[] DEFAULT '{}'::text[] NOT NULL,
    until timestamp with time zone,
    CONSTRAINT request_state CHECK (((state >= 0) AND (state <= 5)))
)
WITH (autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='5000');

CREATE TABLE inventory.resource (
    area integer NOT NULL,
    id bigint NOT NULL,
    spec text NOT NULL,
    code text NOT NULL,
    state smallint NOT NULL,
    up_id bigint,
    place_id bigint,
    holder bigint,
    order_id bigint,
    until timestamp with time zone,
    attrs jsonb DEFAULT '{}'::jsonb NOT NULL
)
WITH (fillfactor='85');

CREATE TABLE inventory.service (
    area integer NOT NULL,
    id bigint NOT NULL,
    product_id bigint NOT NULL,
    spec text NOT NULL,
    role text NOT NULL,
    state smallint NOT NULL,
    characteristics jsonb NOT NULL,
    started_at timestamp with time zone,
    ended_at timestamp with time zone
);

CREATE TABLE inventory.usage (
    area integer NOT NULL,
    thing_id bigint NOT NULL,
    product_id bigint NOT NULL
);

CREATE VIEW inventory.v_address AS
 SELECT id,
    area,
    parent_id,
    level,
    name,
    full_name,
    box_id
   FROM inventory.address;

CREATE VIEW inventory.v_product AS
 SELECT area,
    id,
    customer_id,
    parent_id,
    offering,
    spec,
    name,
    state,
    claimed_by,
    characteristics,
    place_id,
    realisations,
    order_id,
    release_id,
    started_at,
    ended_at
   FROM inventory.product;

CREATE VIEW inventory.v_resource AS
 SELECT area,
    id,
    spec,
    code,
    state,
    up_id,
    place_id,
    holder,
    order_id,
    until,
    attrs
   FROM inventory.resource;

CREATE VIEW inventory.v_service AS
 SELECT area,
    id,
    product_id,
    spec,
    role,
    state,
    characteristics,
    started_at,
    ended_at
   FROM inventory.service;

CREATE VIEW inventory.v_usage AS
 SELECT area,
    thing_id,
    product_id
   FROM inventory.usage;

CREATE TABLE kernel.ext_key (
    kind text NOT NULL,
    source text NOT NULL,
    key text NOT NULL,
    id bigint NOT NULL
);

CREATE TABLE kernel.history (
    part smallint NOT NULL,
    root_id bigint NOT NULL,
    seq integer NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    entries jsonb NOT NULL,
    hash bytea NOT NULL
)
PARTITION BY RANGE (root_id);

CREATE TABLE kernel.history_rest (
    part smallint CONSTRAINT history_part_not_null NOT NULL,
    root_id bigint CONSTRAINT history_root_id_not_null NOT NULL,
    seq integer CONSTRAINT history_seq_not_null NOT NULL,
    at timestamp with time zone CONSTRAINT history_at_not_null NOT NULL,
    actor text CONSTRAINT history_actor_not_null NOT NULL,
    entries jsonb CONSTRAINT history_entries_not_null NOT NULL,
    hash bytea CONSTRAINT history_hash_not_null NOT NULL
);

CREATE TABLE kernel.lease (
    name text NOT NULL,
    owner text,
    until timestamp with time zone NOT NULL,
    clean boolean NOT NULL
);

CREATE SEQUENCE kernel.node
    START WITH 0
    INCREMENT BY 1
    MINVALUE 0
    MAXVALUE 1023
    CACHE 1
    CYCLE;

CREATE TABLE kernel.root (
    part smallint NOT NULL,
    id bigint NOT NULL,
    kind text NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE kernel.setting (
    name text NOT NULL,
    value jsonb NOT NULL
);

CREATE TABLE ordering.cancel_task (
    part smallint NOT NULL,
    id bigint NOT NULL,
    order_id bigint NOT NULL,
    state text NOT NULL,
    reason text,
    items jsonb NOT NULL,
    fee jsonb,
    made_by text NOT NULL,
    extra jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone,
    ended_at timestamp with time zone
);

CREATE TABLE ordering.hold (
    part smallint NOT NULL,
    id bigint NOT NULL,
    order_id bigint NOT NULL,
    item_key text NOT NULL,
    cause text NOT NULL,
    reason text,
    note text,
    made_by text NOT NULL,
    since_at timestamp with time zone NOT NULL,
    until_at timestamp with time zone,
    ended_at timestamp with time zone
);

CREATE TABLE ordering.order_item (
    part smallint NOT NULL,
    id bigint NOT NULL,
    order_id bigint NOT NULL,
    item_key text NOT NULL,
    parent_key text,
    action text NOT NULL,
    offering text NOT NULL,
    product_id bigint NOT NULL,
    state text NOT NULL,
    reason text,
    ponr text DEFAULT 'none'::text NOT NULL,
    completed_at timestamp with time zone
)
WITH (fillfactor='60');

CREATE TABLE ordering.product_order (
    part smallint NOT NULL,
    id bigint NOT NULL,
    external_id text,
    source text NOT NULL,
    content_hash bytea NOT NULL,
    customer_id bigint,
    channel text,
    category text,
    description text,
    priority smallint NOT NULL,
    ordered_at timestamp with time zone NOT NULL,
    requested_start_at timestamp with time zone,
    requested_completion_at timestamp with time zone,
    extra jsonb NOT NULL
);

CREATE TABLE ordering.revision (
    part smallint NOT NULL,
    order_id bigint NOT NULL,
    n integer NOT NULL,
    state text NOT NULL,
    release_id integer NOT NULL,
    document jsonb NOT NULL,
    tree jsonb,
    design jsonb,
    problems jsonb DEFAULT '[]'::jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone,
    made_by text DEFAULT ''::text NOT NULL,
    base integer,
    digest bytea DEFAULT '\x'::bytea NOT NULL,
    note text
);

CREATE VIEW ordering.v_product_order AS
 SELECT part,
    id,
    external_id,
    source,
    customer_id,
    channel,
    category,
    description,
    priority,
    ordered_at,
    requested_start_at,
    requested_completion_at,
    extra,
    ( SELECT
                CASE
                    WHEN bool_and((i.state = ANY (ARRAY['cancelled'::text, 'rejected'::text]))) THEN
                    CASE
                        WHEN (min(i.state) = max(i.state)) THEN min(i.state)
                        ELSE 'cancelled'::text
                    END
                    WHEN (min(i.state) FILTER (WHERE (i.state <> ALL (ARRAY['cancelled'::text, 'rejected'::text]))) = max(i.state) FILTER (WHERE (i.state <> ALL (ARRAY['cancelled'::text, 'rejected'::text])))) THEN replace(min(i.state) FILTER (WHERE (i.state <> ALL (ARRAY['cancelled'::text, 'rejected'::text]))), 'closing'::text, 'inProgress'::text)
                    WHEN bool_and((i.state = ANY (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text, 'rejected'::text]))) THEN 'partial'::text
                    WHEN bool_and((i.state = ANY (ARRAY['held'::text, 'pending'::text, 'cancelled'::text, 'rejected'::text]))) THEN 'held'::text
                    ELSE 'inProgress'::text
                END AS "case"
           FROM ordering.order_item i
          WHERE ((i.part = o.part) AND (i.order_id = o.id))) AS state,
    ( SELECT
                CASE
                    WHEN bool_and((i.state = ANY (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text, 'rejected'::text]))) THEN max(i.completed_at)
                    ELSE NULL::timestamp with time zone
                END AS "case"
           FROM ordering.order_item i
          WHERE ((i.part = o.part) AND (i.order_id = o.id))) AS completed_at,
    ( SELECT jsonb_object_agg(i.item_key, jsonb_build_object('state', i.state, 'reason', i.reason)) AS jsonb_object_agg
           FROM ordering.order_item i
          WHERE ((i.part = o.part) AND (i.order_id = o.id))) AS items,
    ( SELECT r.document
           FROM ordering.revision r
          WHERE ((r.part = o.part) AND (r.order_id = o.id) AND (r.state <> 'stale'::text))
          ORDER BY (r.state = 'accepted'::text) DESC, r.n DESC
         LIMIT 1) AS document
   FROM ordering.product_order o;

CREATE TABLE organization.holding (
    person_id bigint NOT NULL,
    post_id integer NOT NULL
);

CREATE TABLE organization.person (
    id bigint NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    phone text
);

CREATE TABLE organization.pool (
    id integer NOT NULL,
    unit_id integer NOT NULL,
    role text NOT NULL
);

ALTER TABLE organization.pool ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME organization.pool_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE organization.post (
    id integer NOT NULL,
    unit_id integer NOT NULL,
    role text NOT NULL,
    name text NOT NULL
);

CREATE TABLE organization.token (
    id bigint NOT NULL,
    digest bytea NOT NULL,
    name text NOT NULL,
    person_id bigint,
    scopes text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone
);

CREATE TABLE organization.unit (
    id integer NOT NULL,
    parent_id integer,
    kind text NOT NULL,
    code text NOT NULL,
    name text NOT NULL
);

CREATE TABLE party.account (
    id bigint NOT NULL,
    customer_id bigint NOT NULL,
    code text NOT NULL,
    status text NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE party.customer (
    id bigint NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    category text NOT NULL,
    level text NOT NULL,
    status text NOT NULL,
    phone text NOT NULL,
    id_number text,
    address_id bigint,
    area integer,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE planning.effect (
    part smallint NOT NULL,
    id bigint NOT NULL,
    order_id bigint NOT NULL,
    revision integer NOT NULL,
    thing_id bigint NOT NULL,
    kind text NOT NULL,
    item_key text,
    op text NOT NULL,
    of_id bigint,
    state text NOT NULL,
    ready boolean NOT NULL,
    needs bigint[] NOT NULL,
    work text NOT NULL,
    element text,
    priority smallint NOT NULL,
    reads_hash text,
    params jsonb NOT NULL,
    undo jsonb,
    result jsonb,
    attempts smallint DEFAULT 0 NOT NULL,
    due_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    ended_at timestamp with time zone,
    held boolean DEFAULT false NOT NULL
)
WITH (fillfactor='60', autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='5000');

CREATE VIEW planning.v_effect AS
 SELECT part,
    id,
    order_id,
    thing_id,
    kind,
    item_key,
    op,
    state,
    result,
    created_at,
    ended_at,
    of_id
   FROM planning.effect;

CREATE TABLE provisioning.element (
    name text NOT NULL,
    system text NOT NULL,
    host text NOT NULL,
    port integer NOT NULL,
    queryable boolean DEFAULT true NOT NULL,
    idempotent boolean DEFAULT true NOT NULL
);

CREATE TABLE rules.decision (
    key text NOT NULL,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT decision_key_check CHECK ((key <> ''::text))
);

CREATE TABLE rules.version (
    key text NOT NULL,
    n integer NOT NULL,
    state text NOT NULL,
    document bytea NOT NULL,
    tests jsonb NOT NULL,
    note text NOT NULL,
    digest bytea NOT NULL,
    saved_by text NOT NULL,
    saved_at timestamp with time zone NOT NULL,
    published_by text,
    published_at timestamp with time zone,
    effective_at timestamp with time zone,
    gaps_accepted boolean DEFAULT false NOT NULL,
    withdrawn_by text,
    withdrawn_at timestamp with time zone,
    CONSTRAINT version_check CHECK ((num_nulls(published_by, published_at, effective_at) =
CASE
    WHEN (state = 'draft'::text) THEN 3
    ELSE 0
END)),
    CONSTRAINT version_check1 CHECK ((num_nulls(withdrawn_by, withdrawn_at) =
CASE
    WHEN (state = 'withdrawn'::text) THEN 0
    ELSE 2
END)),
    CONSTRAINT version_check2 CHECK ((effective_at >= published_at)),
    CONSTRAINT version_check3 CHECK ((withdrawn_at < effective_at)),
    CONSTRAINT version_n_check CHECK ((n >= 1)),
    CONSTRAINT version_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'published'::text, 'withdrawn'::text]))),
    CONSTRAINT version_tests_check CHECK ((jsonb_typeof(tests) = 'array'::text))
);

CREATE TABLE tmf.delivery (
    part smallint NOT NULL,
    id bigint NOT NULL,
    root_id bigint NOT NULL,
    subscription_id bigint NOT NULL,
    event_type text NOT NULL,
    body jsonb NOT NULL,
    state smallint NOT NULL,
    attempts smallint DEFAULT 0 NOT NULL,
    due_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    last_error text
)
WITH (autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='5000');

CREATE TABLE tmf.subscription (
    id bigint NOT NULL,
    api text NOT NULL,
    callback text NOT NULL,
    query text DEFAULT ''::text NOT NULL,
    owner text NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE workforce.appointment (
    part smallint NOT NULL,
    id bigint NOT NULL,
    order_id bigint NOT NULL,
    status text NOT NULL,
    start_at timestamp with time zone NOT NULL,
    end_at timestamp with time zone NOT NULL,
    extra jsonb NOT NULL,
    made_by text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL
);

CREATE TABLE workforce.recall (
    part smallint NOT NULL,
    id bigint NOT NULL,
    order_id bigint NOT NULL,
    task_id bigint NOT NULL,
    effects bigint[] NOT NULL,
    state text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    answer text,
    answered_at timestamp with time zone,
    decided_by text,
    note text,
    ended_at timestamp with time zone
);

CREATE TABLE workforce.visit (
    part smallint NOT NULL,
    id bigint NOT NULL,
    place jsonb NOT NULL,
    start_at timestamp with time zone,
    end_at timestamp with time zone,
    made_by text NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE workforce.work_order (
    part smallint NOT NULL,
    id bigint NOT NULL,
    order_id bigint NOT NULL,
    kind text NOT NULL,
    lines jsonb NOT NULL,
    release_id integer NOT NULL,
    place jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    customer_id bigint,
    visit_id bigint,
    appointment_id bigint,
    start_at timestamp with time zone,
    end_at timestamp with time zone
);

ALTER TABLE ONLY kernel.history ATTACH PARTITION kernel.history_rest DEFAULT;

ALTER TABLE ONLY catalog.release
    ADD CONSTRAINT release_pkey PRIMARY KEY (id);

ALTER TABLE ONLY engine.broadcast
    ADD CONSTRAINT broadcast_pkey PRIMARY KEY (part, id);

ALTER TABLE ONLY engine.bulk_part
    ADD CONSTRAINT bulk_part_pkey PRIMARY KEY (part, bulk_id);

ALTER TABLE ONLY engine.bulk
    ADD CONSTRAINT bulk_pkey PRIMARY KEY (id);

ALTER TABLE ONLY engine.definition
    ADD CONSTRAINT definition_key_version_key UNIQUE (key, version);

ALTER TABLE ONLY engine.definition
    ADD CONSTRAINT definition_pkey PRIMARY KEY (id);

ALTER TABLE ONLY engine.external_task
    ADD CONSTRAINT external_task_pkey PRIMARY KEY (part, id);

ALTER TABLE ONLY engine.human_task
    ADD CONSTRAINT human_task_pkey PRIMARY KEY (part, id);

ALTER TABLE ONLY engine.incident
    ADD CONSTRAINT incident_pkey PRIMARY KEY (part, id);

ALTER TABLE ONLY engine.instance
    ADD CONSTRAINT instance_pkey PRIMARY KEY (part, id);

ALTER TABLE ONLY engine.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (part, id);

ALTER TABLE ONLY engine.schedule
    ADD CONSTRAINT schedule_pkey PRIMARY KEY (process, node);

ALTER TABLE ONLY engine.subscription
    ADD CONSTRAINT subscription_pkey PRIMARY KEY (part, instance_id, name);

ALTER TABLE ONLY fulfilment.bulk_part
    ADD CONSTRAINT bulk_part_pkey PRIMARY KEY (part, bulk_id);

ALTER TABLE ONLY fulfilment.bulk
    ADD CONSTRAINT bulk_pkey PRIMARY KEY (id);

ALTER TABLE ONLY fulfilment.fallout
    ADD CONSTRAINT fallout_pkey PRIMARY KEY (part, id);

ALTER TABLE ONLY fulfilment.qualification
    ADD CONSTRAINT qualification_pkey PRIMARY KEY (part, id);

ALTER TABLE ONLY inventory.address
    ADD CONSTRAINT address_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.area
    ADD CONSTRAINT area_code_key UNIQUE (code);

ALTER TABLE ONLY inventory.area
    ADD CONSTRAINT area_pkey PRIMARY KEY (id);

ALTER TABLE ONLY inventory.product
    ADD CONSTRAINT product_pkey PRIMARY KEY (area, id);

ALTER TABLE ONLY inventory.request
    ADD CONSTRAINT request_pkey PRIMARY KEY (area, id);

ALTER TABLE ONLY inventory.resource
    ADD CONSTRAINT resource_pkey PRIMARY KEY (area, id);

ALTER TABLE ONLY inventory.service
    ADD CONSTRAINT service_pkey PRIMARY KEY (area, id);

ALTER TABLE ONLY inventory.usage
    ADD CONSTRAINT usage_pkey PRIMARY KEY (area, thing_id, product_id);

ALTER TABLE ONLY kernel.ext_key
    ADD CONSTRAINT ext_key_pkey PRIMARY KEY (kind, source, key);

ALTER TABLE ONLY kernel.history
    ADD CONSTRAINT history_pkey PRIMARY KEY (part, root_id, seq);

ALTER TABLE ONLY kernel.history_rest
    ADD CONSTRAINT history_rest_pkey PRIMARY KEY (part, root_id, seq);

ALTER TABLE ONLY kernel.lease
    ADD CONSTRAINT lease_pkey PRIMARY KEY (name);

ALTER TABLE ONLY kernel.root
    ADD CONSTRAINT root_pkey PRIMARY KEY (part, id);

ALTER TABLE ONLY kernel.setting
    ADD CONSTRAINT setting_pkey PRIMARY KEY (name);

ALTER TABLE ONLY ordering.cancel_task
    ADD CONSTRAINT cancel_task_pkey PRIMARY KEY (part, order_id, id);

ALTER TABLE ONLY ordering.hold
    ADD CONSTRAINT hold_pkey PRIMARY KEY (part, order_id, id);

ALTER TABLE ONLY ordering.order_item
    ADD CONSTRAINT order_item_part_order_id_item_key_key UNIQUE (part, order_id, item_key);

ALTER TABLE ONLY ordering.order_item
    ADD CONSTRAINT order_item_pkey PRIMARY KEY (part, id);

ALTER TABLE ONLY ordering.product_order
    ADD CONSTRAINT product_order_pkey PRIMARY KEY (part, id);

ALTER TABLE ONLY ordering.revision
    ADD CONSTRAINT revision_pkey PRIMARY KEY (part, order_id, n);

ALTER TABLE ONLY organization.holding
    ADD CONSTRAINT holding_pkey PRIMARY KEY (person_id, post_id);

ALTER TABLE ONLY organization.person
    ADD CONSTRAINT person_code_key UNIQUE (code);

ALTER TABLE ONLY organization.person
    ADD CONSTRAINT person_pkey PRIMARY KEY (id);

ALTER TABLE ONLY organization.pool
    ADD CONSTRAINT pool_pkey PRIMARY KEY (id);

ALTER TABLE ONLY organization.pool
    ADD CONSTRAINT pool_unit_id_role_key UNIQUE (unit_id, role);

ALTER TABLE ONLY organization.post
    ADD CONSTRAINT post_pkey PRIMARY KEY (id);

ALTER TABLE ONLY organization.post
    ADD CONSTRAINT post_unit_id_role_key UNIQUE (unit_id, role);

ALTER TABLE ONLY organization.token
    ADD CONSTRAINT token_digest_key UNIQUE (digest);

ALTER TABLE ONLY organization.token
    ADD CONSTRAINT token_pkey PRIMARY KEY (id);

ALTER TABLE ONLY organization.unit
    ADD CONSTRAINT unit_code_key UNIQUE (code);

ALTER TABLE ONLY organization.unit
    ADD CONSTRAINT unit_pkey PRIMARY KEY (id);

ALTER TABLE ONLY party.account
    ADD CONSTRAINT account_code_key UNIQUE (code);

ALTER TABLE ONLY party.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY party.customer
    ADD CONSTRAINT customer_code_key UNIQUE (code);

ALTER TABLE ONLY party.customer
    ADD CONSTRAINT customer_pkey PRIMARY KEY (id);

ALTER TABLE ONLY planning.effect
    ADD CONSTRAINT effect_pkey PRIMARY KEY (part, order_id, id);

ALTER TABLE ONLY provisioning.element
    ADD CONSTRAINT element_pkey PRIMARY KEY (name);

ALTER TABLE ONLY rules.decision
    ADD CONSTRAINT decision_pkey PRIMARY KEY (key);

ALTER TABLE ONLY rules.version
    ADD CONSTRAINT version_pkey PRIMARY KEY (key, n);

ALTER TABLE ONLY tmf.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (part, id);

ALTER TABLE ONLY tmf.subscription
    ADD CONSTRAINT subscription_api_callback_query_key UNIQUE (api, callback, query);

ALTER TABLE ONLY tmf.subscription
    ADD CONSTRAINT subscription_pkey PRIMARY KEY (id);

ALTER TABLE ONLY workforce.appointment
    ADD CONSTRAINT appointment_pkey PRIMARY KEY (part, id);

ALTER TABLE ONLY workforce.recall
    ADD CONSTRAINT recall_pkey PRIMARY KEY (part, order_id, id);

ALTER TABLE ONLY workforce.visit
    ADD CONSTRAINT visit_pkey PRIMARY KEY (part, id);

ALTER TABLE ONLY workforce.work_order
    ADD CONSTRAINT work_order_pkey PRIMARY KEY (part, id);

CREATE INDEX release_effective ON catalog.release USING btree (effective_at DESC, id DESC);

CREATE INDEX bulk_confirmed ON engine.bulk USING btree (confirmed_at) WHERE (confirmed_at IS NOT NULL);

CREATE INDEX external_task_due ON engine.external_task USING btree (topic, due_at, id) WHERE (state = 0);

CREATE INDEX external_task_token ON engine.external_task USING btree (part, token_id);

CREATE INDEX human_task_claimed ON engine.human_task USING btree (assignee, due_at, id) WHERE (state = 1);

CREATE INDEX human_task_offered ON engine.human_task USING btree (pool, due_at, id) WHERE (state = 0);

CREATE INDEX human_task_root ON engine.human_task USING btree (part, root_id);

CREATE INDEX incident_job ON engine.incident USING btree (part, job_id) WHERE (resolved_at IS NULL);

CREATE INDEX incident_open ON engine.incident USING btree (part, created_at) WHERE (resolved_at IS NULL);

CREATE INDEX instance_root ON engine.instance USING btree (part, root_id);

CREATE INDEX job_due ON engine.job USING btree (part, due_at, id) WHERE (state = 0);

CREATE UNIQUE INDEX job_once ON engine.job USING btree (part, root_id, msg_key) WHERE (msg_key IS NOT NULL);

CREATE INDEX job_root ON engine.job USING btree (part, root_id) WHERE (state = 0);

CREATE INDEX schedule_due ON engine.schedule USING btree (due_at);

CREATE INDEX subscription_name ON engine.subscription USING btree (part, name);

CREATE INDEX bulk_confirmed ON fulfilment.bulk USING btree (confirmed_at) WHERE ((confirmed_at IS NOT NULL) AND (stopped_at IS NULL));

CREATE INDEX fallout_cause ON fulfilment.fallout USING btree (cause, element, part, id) WHERE (state = 'open'::text);

CREATE INDEX fallout_incident ON fulfilment.fallout USING btree (part, id) WHERE ((subject = 'incident'::text) AND (state <> 'closed'::text));

CREATE INDEX fallout_list ON fulfilment.fallout USING btree (due_at, id) WHERE (state = ANY (ARRAY['open'::text, 'claimed'::text]));

CREATE INDEX fallout_order ON fulfilment.fallout USING btree (part, order_id);

CREATE INDEX qualification_expires ON fulfilment.qualification USING btree (part, expires_at);

CREATE INDEX address_full ON inventory.address USING btree (full_name text_pattern_ops);

CREATE INDEX address_parent ON inventory.address USING btree (parent_id, name);

CREATE INDEX product_customer ON inventory.product USING btree (customer_id, id);

CREATE INDEX request_open ON inventory.request USING btree (area, class, asked_at, id) WHERE (state = 0);

CREATE INDEX request_until ON inventory.request USING btree (area, until) WHERE ((until IS NOT NULL) AND (state = ANY (ARRAY[0, 4])));

CREATE INDEX request_untold ON inventory.request USING btree (area, id) WHERE (NOT told);

CREATE UNIQUE INDEX resource_code ON inventory.resource USING btree (area, spec, code);

CREATE INDEX resource_free ON inventory.resource USING btree (area, spec, up_id, id) WHERE (state = 0);

CREATE INDEX resource_holder ON inventory.resource USING btree (area, holder) WHERE (holder IS NOT NULL);

CREATE INDEX resource_quarantined ON inventory.resource USING btree (area, until) WHERE (state = 4);

CREATE INDEX resource_up ON inventory.resource USING btree (area, up_id);

CREATE INDEX service_product ON inventory.service USING btree (area, product_id);

CREATE INDEX usage_product ON inventory.usage USING btree (area, product_id);

CREATE UNIQUE INDEX cancel_task_id ON ordering.cancel_task USING btree (part, id);

CREATE UNIQUE INDEX hold_open ON ordering.hold USING btree (part, order_id, item_key, cause) WHERE (ended_at IS NULL);

CREATE INDEX product_order_customer ON ordering.product_order USING btree (customer_id);

CREATE INDEX product_order_external ON ordering.product_order USING btree (external_id) WHERE (external_id IS NOT NULL);

CREATE INDEX product_order_ordered ON ordering.product_order USING btree (ordered_at, id);

CREATE INDEX unit_parent ON organization.unit USING btree (parent_id);

CREATE INDEX account_customer ON party.account USING btree (customer_id);

CREATE INDEX customer_name ON party.customer USING btree (name);

CREATE INDEX effect_open ON planning.effect USING btree (element, due_at, id) WHERE (state = ANY (ARRAY['sent'::text, 'unknown'::text]));

CREATE INDEX effect_queue ON planning.effect USING btree (element, priority, id) WHERE ((state = 'intent'::text) AND ready AND (element IS NOT NULL));

CREATE UNIQUE INDEX version_draft ON rules.version USING btree (key) WHERE (state = 'draft'::text);

CREATE INDEX version_effective ON rules.version USING btree (key, effective_at DESC, n DESC) WHERE (state = 'published'::text);

CREATE INDEX delivery_due ON tmf.delivery USING btree (part, due_at, id) WHERE (state = 0);

CREATE INDEX delivery_entity ON tmf.delivery USING btree (part, root_id, subscription_id, id) WHERE (state = 0);

CREATE INDEX appointment_order ON workforce.appointment USING btree (part, order_id);

CREATE INDEX recall_due ON workforce.recall USING btree (due_at) WHERE (ended_at IS NULL);

CREATE UNIQUE INDEX recall_open ON workforce.recall USING btree (part, task_id) WHERE (ended_at IS NULL);

CREATE INDEX work_order_customer ON workforce.work_order USING btree (customer_id, created_at);

CREATE INDEX work_order_order ON workforce.work_order USING btree (part, order_id);

CREATE INDEX work_order_visit ON workforce.work_order USING btree (visit_id) WHERE (visit_id IS NOT NULL);

ALTER INDEX kernel.history_pkey ATTACH PARTITION kernel.history_rest_pkey;

ALTER TABLE ONLY engine.bulk_part
    ADD CONSTRAINT bulk_part_bulk_id_fkey FOREIGN KEY (bulk_id) REFERENCES engine.bulk(id);

ALTER TABLE ONLY engine.instance
    ADD CONSTRAINT instance_part_root_id_fkey FOREIGN KEY (part, root_id) REFERENCES kernel.root(part, id);

ALTER TABLE ONLY fulfilment.bulk_part
    ADD CONSTRAINT bulk_part_bulk_id_fkey FOREIGN KEY (bulk_id) REFERENCES fulfilment.bulk(id);

ALTER TABLE ONLY fulfilment.fallout
    ADD CONSTRAINT fallout_part_order_id_fkey FOREIGN KEY (part, order_id) REFERENCES kernel.root(part, id);

ALTER TABLE ONLY inventory.address
    ADD CONSTRAINT address_area_fkey FOREIGN KEY (area) REFERENCES inventory.area(id);

ALTER TABLE ONLY inventory.address
    ADD CONSTRAINT address_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES inventory.address(id);

ALTER TABLE ONLY inventory.area
    ADD CONSTRAINT area_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES organization.unit(id);

ALTER TABLE ONLY inventory.product
    ADD CONSTRAINT product_area_fkey FOREIGN KEY (area) REFERENCES inventory.area(id);

ALTER TABLE ONLY inventory.request
    ADD CONSTRAINT request_area_fkey FOREIGN KEY (area) REFERENCES inventory.area(id);

ALTER TABLE ONLY inventory.resource
    ADD CONSTRAINT resource_area_fkey FOREIGN KEY (area) REFERENCES inventory.area(id);

ALTER TABLE ONLY inventory.service
    ADD CONSTRAINT service_area_fkey FOREIGN KEY (area) REFERENCES inventory.area(id);

ALTER TABLE ONLY inventory.usage
    ADD CONSTRAINT usage_area_fkey FOREIGN KEY (area) REFERENCES inventory.area(id);

ALTER TABLE ONLY ordering.cancel_task
    ADD CONSTRAINT cancel_task_part_order_id_fkey FOREIGN KEY (part, order_id) REFERENCES kernel.root(part, id);

ALTER TABLE ONLY ordering.hold
    ADD CONSTRAINT hold_part_order_id_fkey FOREIGN KEY (part, order_id) REFERENCES kernel.root(part, id);

ALTER TABLE ONLY ordering.product_order
    ADD CONSTRAINT product_order_part_id_fkey FOREIGN KEY (part, id) REFERENCES kernel.root(part, id);

ALTER TABLE ONLY organization.holding
    ADD CONSTRAINT holding_person_id_fkey FOREIGN KEY (person_id) REFERENCES organization.person(id);

ALTER TABLE ONLY organization.holding
    ADD CONSTRAINT holding_post_id_fkey FOREIGN KEY (post_id) REFERENCES organization.post(id);

ALTER TABLE ONLY organization.pool
    ADD CONSTRAINT pool_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES organization.unit(id);

ALTER TABLE ONLY organization.post
    ADD CONSTRAINT post_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES organization.unit(id);

ALTER TABLE ONLY organization.token
    ADD CONSTRAINT token_person_id_fkey FOREIGN KEY (person_id) REFERENCES organization.person(id);

ALTER TABLE ONLY organization.unit
    ADD CONSTRAINT unit_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES organization.unit(id);

ALTER TABLE ONLY party.account
    ADD CONSTRAINT account_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES party.customer(id);

ALTER TABLE ONLY rules.version
    ADD CONSTRAINT version_key_fkey FOREIGN KEY (key) REFERENCES rules.decision(key);
