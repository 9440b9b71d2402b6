-- The system collections, as a Directus 11.17.4 database on PostgreSQL has them: the same names, types,
-- defaults and constraint names, so that either program can open the other's database. Where the
-- tables exist already (an opened Directus database) nothing here touches them.
--
-- Runs as the migrating user, not as spark_owner: in an opened database a table that an older Directus
-- lacks must reference tables of the old owner, and belongs to that owner as well.

set local client_min_messages = warning;

select set_config('spark.tables_before',
                  coalesce((select string_agg(relname, ' ') from pg_class
                             where relnamespace = 'public'::regnamespace and relname like 'directus\_%'), ''), true);

create table if not exists directus_roles (
    id uuid primary key,
    name varchar(100) not null,
    icon varchar(64) not null default 'supervised_user_circle',
    description text,
    parent uuid
        constraint directus_roles_parent_foreign references directus_roles(id)
);

create table if not exists directus_policies (
    id uuid primary key,
    name varchar(100) not null,
    icon varchar(64) not null default 'badge',
    description text,
    ip_access text,
    enforce_tfa boolean not null default false,
    admin_access boolean not null default false,
    app_access boolean not null default false
);

create table if not exists directus_users (
    id uuid primary key,
    first_name varchar(50),
    last_name varchar(50),
    email varchar(128),
    password varchar(255),
    location varchar(255),
    title varchar(50),
    description text,
    tags json,
    avatar uuid,
    language varchar(255),
    tfa_secret varchar(255),
    status varchar(16) not null default 'active',
    role uuid
        constraint directus_users_role_foreign references directus_roles(id) on delete set null,
    token varchar(255),
    last_access timestamptz,
    last_page varchar(255),
    provider varchar(128) not null default 'default',
    external_identifier varchar(255),
    auth_data json,
    email_notifications boolean default true,
    appearance varchar(255),
    theme_dark varchar(255),
    theme_light varchar(255),
    theme_light_overrides json,
    theme_dark_overrides json,
    text_direction varchar(255) not null default 'auto',
    constraint directus_users_email_unique unique (email),
    constraint directus_users_external_identifier_unique unique (external_identifier),
    constraint directus_users_token_unique unique (token)
);

create table if not exists directus_access (
    id uuid primary key,
    role uuid
        constraint directus_access_role_foreign references directus_roles(id) on delete cascade,
    "user" uuid
        constraint directus_access_user_foreign references directus_users(id) on delete cascade,
    policy uuid not null
        constraint directus_access_policy_foreign references directus_policies(id) on delete cascade,
    sort integer
);

create table if not exists directus_permissions (
    id serial primary key,
    collection varchar(64) not null,
    action varchar(10) not null,
    permissions json,
    validation json,
    presets json,
    fields text,
    policy uuid not null
        constraint directus_permissions_policy_foreign references directus_policies(id) on delete cascade
);

create table if not exists directus_collections (
    collection varchar(64) primary key,
    icon varchar(64),
    note text,
    display_template varchar(255),
    hidden boolean not null default false,
    singleton boolean not null default false,
    translations json,
    archive_field varchar(64),
    archive_app_filter boolean not null default true,
    archive_value varchar(255),
    unarchive_value varchar(255),
    sort_field varchar(64),
    accountability varchar(255) default 'all',
    color varchar(255),
    item_duplication_fields json,
    sort integer,
    "group" varchar(64)
        constraint directus_collections_group_foreign references directus_collections(collection),
    collapse varchar(255) not null default 'open',
    preview_url varchar(255),
    versioning boolean not null default false
);

create table if not exists directus_fields (
    id serial primary key,
    collection varchar(64) not null,
    field varchar(64) not null,
    special varchar(64),
    interface varchar(64),
    options json,
    display varchar(64),
    display_options json,
    readonly boolean not null default false,
    hidden boolean not null default false,
    sort integer,
    width varchar(30) default 'full',
    translations json,
    note text,
    conditions json,
    required boolean default false,
    "group" varchar(64),
    validation json,
    validation_message text,
    searchable boolean not null default true
);

create table if not exists directus_relations (
    id serial primary key,
    many_collection varchar(64) not null,
    many_field varchar(64) not null,
    one_collection varchar(64),
    one_field varchar(64),
    one_collection_field varchar(64),
    one_allowed_collections text,
    junction_field varchar(64),
    sort_field varchar(64),
    one_deselect_action varchar(255) not null default 'nullify'
);

create table if not exists directus_folders (
    id uuid primary key,
    name varchar(255) not null,
    parent uuid
        constraint directus_folders_parent_foreign references directus_folders(id)
);

create table if not exists directus_files (
    id uuid primary key,
    storage varchar(255) not null,
    filename_disk varchar(255),
    filename_download varchar(255) not null,
    title varchar(255),
    type varchar(255),
    folder uuid
        constraint directus_files_folder_foreign references directus_folders(id) on delete set null,
    uploaded_by uuid
        constraint directus_files_uploaded_by_foreign references directus_users(id),
    created_on timestamptz not null default current_timestamp,
    modified_by uuid
        constraint directus_files_modified_by_foreign references directus_users(id),
    modified_on timestamptz not null default current_timestamp,
    charset varchar(50),
    filesize bigint,
    width integer,
    height integer,
    duration integer,
    embed varchar(200),
    description text,
    location text,
    tags text,
    metadata json,
    focal_point_x integer,
    focal_point_y integer,
    tus_id varchar(64),
    tus_data json,
    uploaded_on timestamptz
);

create table if not exists directus_activity (
    id serial primary key,
    action varchar(45) not null,
    "user" uuid,
    timestamp timestamptz not null default current_timestamp,
    ip varchar(50),
    user_agent text,
    collection varchar(64) not null,
    item varchar(255) not null,
    origin varchar(255)
);

create table if not exists directus_versions (
    id uuid primary key,
    key varchar(64) not null,
    name varchar(255),
    collection varchar(64) not null
        constraint directus_versions_collection_foreign references directus_collections(collection) on delete cascade,
    item varchar(255) not null,
    hash varchar(255),
    date_created timestamptz default current_timestamp,
    date_updated timestamptz default current_timestamp,
    user_created uuid
        constraint directus_versions_user_created_foreign references directus_users(id) on delete set null,
    user_updated uuid
        constraint directus_versions_user_updated_foreign references directus_users(id),
    delta json
);

create table if not exists directus_revisions (
    id serial primary key,
    activity integer not null
        constraint directus_revisions_activity_foreign references directus_activity(id) on delete cascade,
    collection varchar(64) not null,
    item varchar(255) not null,
    data json,
    delta json,
    parent integer
        constraint directus_revisions_parent_foreign references directus_revisions(id),
    version uuid
        constraint directus_revisions_version_foreign references directus_versions(id) on delete cascade
);

create table if not exists directus_comments (
    id uuid primary key,
    collection varchar(64) not null,
    item varchar(255) not null,
    comment text not null,
    date_created timestamptz default current_timestamp,
    date_updated timestamptz default current_timestamp,
    user_created uuid
        constraint directus_comments_user_created_foreign references directus_users(id) on delete set null,
    user_updated uuid
        constraint directus_comments_user_updated_foreign references directus_users(id)
);

create table if not exists directus_presets (
    id serial primary key,
    bookmark varchar(255),
    "user" uuid
        constraint directus_presets_user_foreign references directus_users(id) on delete cascade,
    role uuid
        constraint directus_presets_role_foreign references directus_roles(id) on delete cascade,
    collection varchar(64),
    search varchar(100),
    layout varchar(100) default 'tabular',
    layout_query json,
    layout_options json,
    refresh_interval integer,
    filter json,
    icon varchar(64) default 'bookmark',
    color varchar(255)
);

create table if not exists directus_notifications (
    id serial primary key,
    timestamp timestamptz default current_timestamp,
    status varchar(255) default 'inbox',
    recipient uuid not null
        constraint directus_notifications_recipient_foreign references directus_users(id) on delete cascade,
    sender uuid
        constraint directus_notifications_sender_foreign references directus_users(id),
    subject varchar(255) not null,
    message text,
    collection varchar(64),
    item varchar(255)
);

create table if not exists directus_shares (
    id uuid primary key,
    name varchar(255),
    collection varchar(64) not null
        constraint directus_shares_collection_foreign references directus_collections(collection) on delete cascade,
    item varchar(255) not null,
    role uuid
        constraint directus_shares_role_foreign references directus_roles(id) on delete cascade,
    password varchar(255),
    user_created uuid
        constraint directus_shares_user_created_foreign references directus_users(id) on delete set null,
    date_created timestamptz default current_timestamp,
    date_start timestamptz,
    date_end timestamptz,
    times_used integer default 0,
    max_uses integer
);

create table if not exists directus_sessions (
    token varchar(64) primary key,
    "user" uuid
        constraint directus_sessions_user_foreign references directus_users(id) on delete cascade,
    expires timestamptz not null,
    ip varchar(255),
    user_agent text,
    share uuid
        constraint directus_sessions_share_foreign references directus_shares(id) on delete cascade,
    origin varchar(255),
    next_token varchar(64)
);

create table if not exists directus_settings (
    id serial primary key,
    project_name varchar(100) not null default 'Directus',
    project_url varchar(255),
    project_color varchar(255) not null default '#6644FF',
    project_logo uuid
        constraint directus_settings_project_logo_foreign references directus_files(id),
    public_foreground uuid
        constraint directus_settings_public_foreground_foreign references directus_files(id),
    public_background uuid
        constraint directus_settings_public_background_foreign references directus_files(id),
    public_note text,
    auth_login_attempts integer default 25,
    auth_password_policy varchar(100),
    storage_asset_transform varchar(7) default 'all',
    storage_asset_presets json,
    custom_css text,
    storage_default_folder uuid
        constraint directus_settings_storage_default_folder_foreign references directus_folders(id) on delete set null,
    basemaps json,
    mapbox_key varchar(255),
    module_bar json,
    project_descriptor varchar(100),
    default_language varchar(255) not null default 'en-US',
    custom_aspect_ratios json,
    public_favicon uuid
        constraint directus_settings_public_favicon_foreign references directus_files(id),
    default_appearance varchar(255) not null default 'auto',
    default_theme_light varchar(255),
    theme_light_overrides json,
    default_theme_dark varchar(255),
    theme_dark_overrides json,
    report_error_url varchar(255),
    report_bug_url varchar(255),
    report_feature_url varchar(255),
    public_registration boolean not null default false,
    public_registration_verify_email boolean not null default true,
    public_registration_role uuid
        constraint directus_settings_public_registration_role_foreign references directus_roles(id) on delete set null,
    public_registration_email_filter json,
    visual_editor_urls json,
    project_id uuid,
    mcp_enabled boolean not null default false,
    mcp_allow_deletes boolean not null default false,
    mcp_prompts_collection varchar(255),
    mcp_system_prompt_enabled boolean not null default true,
    mcp_system_prompt text,
    project_owner varchar(255),
    project_usage varchar(255),
    org_name varchar(255),
    product_updates boolean,
    project_status varchar(255),
    ai_openai_api_key text,
    ai_anthropic_api_key text,
    ai_system_prompt text,
    ai_google_api_key text,
    ai_openai_compatible_api_key text,
    ai_openai_compatible_base_url text,
    ai_openai_compatible_name text,
    ai_openai_compatible_models json,
    ai_openai_compatible_headers json,
    ai_openai_allowed_models json,
    ai_anthropic_allowed_models json,
    ai_google_allowed_models json,
    collaborative_editing_enabled boolean not null default false
);

create table if not exists directus_dashboards (
    id uuid primary key,
    name varchar(255) not null,
    icon varchar(64) not null default 'dashboard',
    note text,
    date_created timestamptz default current_timestamp,
    user_created uuid
        constraint directus_dashboards_user_created_foreign references directus_users(id) on delete set null,
    color varchar(255)
);

create table if not exists directus_panels (
    id uuid primary key,
    dashboard uuid not null
        constraint directus_panels_dashboard_foreign references directus_dashboards(id) on delete cascade,
    name varchar(255),
    icon varchar(64),
    color varchar(10),
    show_header boolean not null default false,
    note text,
    type varchar(255) not null,
    position_x integer not null,
    position_y integer not null,
    width integer not null,
    height integer not null,
    options json,
    date_created timestamptz default current_timestamp,
    user_created uuid
        constraint directus_panels_user_created_foreign references directus_users(id) on delete set null
);

create table if not exists directus_flows (
    id uuid primary key,
    name varchar(255) not null,
    icon varchar(64),
    color varchar(255),
    description text,
    status varchar(255) not null default 'active',
    trigger varchar(255),
    accountability varchar(255) default 'all',
    options json,
    operation uuid,
    date_created timestamptz default current_timestamp,
    user_created uuid
        constraint directus_flows_user_created_foreign references directus_users(id) on delete set null,
    constraint directus_flows_operation_unique unique (operation)
);

create table if not exists directus_operations (
    id uuid primary key,
    name varchar(255),
    key varchar(255) not null,
    type varchar(255) not null,
    position_x integer not null,
    position_y integer not null,
    options json,
    resolve uuid
        constraint directus_operations_resolve_foreign references directus_operations(id),
    reject uuid
        constraint directus_operations_reject_foreign references directus_operations(id),
    flow uuid not null
        constraint directus_operations_flow_foreign references directus_flows(id) on delete cascade,
    date_created timestamptz default current_timestamp,
    user_created uuid
        constraint directus_operations_user_created_foreign references directus_users(id) on delete set null,
    constraint directus_operations_reject_unique unique (reject),
    constraint directus_operations_resolve_unique unique (resolve)
);

create table if not exists directus_translations (
    id uuid primary key,
    language varchar(255) not null,
    key varchar(255) not null,
    value text not null
);

create table if not exists directus_extensions (
    enabled boolean not null default true,
    id uuid primary key,
    folder varchar(255) not null,
    source varchar(255) not null,
    bundle uuid
);

create table if not exists directus_deployments (
    id uuid primary key,
    provider varchar(255) not null,
    credentials text,
    options text,
    date_created timestamptz default current_timestamp,
    user_created uuid
        constraint directus_deployments_user_created_foreign references directus_users(id) on delete set null,
    webhook_ids json,
    webhook_secret varchar(255),
    last_synced_at timestamptz,
    constraint directus_deployments_provider_unique unique (provider)
);

create table if not exists directus_deployment_projects (
    id uuid primary key,
    deployment uuid not null
        constraint directus_deployment_projects_deployment_foreign references directus_deployments(id) on delete cascade,
    external_id varchar(255) not null,
    name varchar(255) not null,
    date_created timestamptz default current_timestamp,
    user_created uuid
        constraint directus_deployment_projects_user_created_foreign references directus_users(id) on delete set null,
    url varchar(255),
    framework varchar(255),
    deployable boolean not null default true,
    constraint directus_deployment_projects_deployment_external_id_unique unique (deployment, external_id)
);

create table if not exists directus_deployment_runs (
    id uuid primary key,
    project uuid not null
        constraint directus_deployment_runs_project_foreign references directus_deployment_projects(id) on delete cascade,
    external_id varchar(255) not null,
    target varchar(255) not null,
    date_created timestamptz default current_timestamp,
    user_created uuid
        constraint directus_deployment_runs_user_created_foreign references directus_users(id) on delete set null,
    status varchar(255),
    url varchar(255),
    started_at timestamptz,
    completed_at timestamptz
);

create table if not exists directus_migrations (
    version varchar(255) primary key,
    name varchar(255) not null,
    timestamp timestamptz default current_timestamp
);

do $owner$
declare
    before constant text[] := string_to_array(current_setting('spark.tables_before'), ' ');
    owner regrole := 'spark_owner'::regrole;
    made name;
begin
    if 'directus_users' = any (before) then
        owner := (select relowner::regrole from pg_class where oid = 'public.directus_users'::regclass);
    end if;
    for made in
        select relname from pg_class
         where relnamespace = 'public'::regnamespace and relkind = 'r'
           and relname like 'directus\_%' and relname <> all (before)
    loop
        execute format('alter table public.%I owner to %s', made, owner);
    end loop;
end
$owner$;

-- Only in tables of our own: an opened database keeps the indexes it has. These serve foreign keys and
-- the look-ups of every login; the retention indexes carry Directus' names.
do $indexes$
begin
    if 'directus_users' = any (string_to_array(current_setting('spark.tables_before'), ' ')) then
        return;
    end if;
    create index directus_activity_timestamp_index on public.directus_activity (timestamp);
    create index directus_revisions_activity_index on public.directus_revisions (activity);
    create index directus_revisions_parent_index on public.directus_revisions (parent);
    create index directus_revisions_item on public.directus_revisions (collection, item);
    create index directus_users_role on public.directus_users (role);
    create index directus_access_user on public.directus_access ("user");
    create index directus_access_role on public.directus_access (role);
    create index directus_permissions_policy on public.directus_permissions (policy);
    create index directus_sessions_user on public.directus_sessions ("user");
    create index directus_sessions_expires on public.directus_sessions (expires);
    create index directus_files_folder on public.directus_files (folder);
    create index directus_notifications_recipient on public.directus_notifications (recipient);
    create index directus_presets_user on public.directus_presets ("user");
    create index directus_comments_item on public.directus_comments (collection, item);
    create unique index directus_fields_field on public.directus_fields (collection, field);
    create unique index directus_relations_field on public.directus_relations (many_collection, many_field);
end
$indexes$;
