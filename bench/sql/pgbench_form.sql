\set site random(1, :sites)
\set form random(1, :forms)
\set a random(1, 281474976710655)
\set b random(1, 281474976710655)
begin;
select set_config('spark.site', '01960000-0000-7000-8000-' || lpad(to_hex(:site::bigint), 12, '0'), true);
insert into leads (site_id, id, form_id, name, email, phone, message, source, page_url, landing_page, utm_source, ip_address)
select f.site_id, ('01990000-0000-7000-8000-' || lpad(to_hex(:a::bigint), 12, '0'))::uuid, f.id, 'Visitor ' || :a, 'visitor@example.com',
       '+43 1 5550100', 'I would like to have my bike ready before the weekend: the brakes squeal, the chain jumps and the light is dark. When can I bring it, and what will it be about?',
       f.slug, 'https://site.bench.test/contact', 'https://site.bench.test/contact', 'newsletter', '127.0.0.1'
  from forms f where f.site_id = ('01960000-0000-7000-8000-' || lpad(to_hex(:site::bigint), 12, '0'))::uuid and f.slug = 'form-' || :form;
insert into conversions (site_id, id, lead_id, conversion_type, value, source)
values (('01960000-0000-7000-8000-' || lpad(to_hex(:site::bigint), 12, '0'))::uuid, ('01990000-0000-7000-8000-' || lpad(to_hex(:b::bigint), 12, '0'))::uuid,
        ('01990000-0000-7000-8000-' || lpad(to_hex(:a::bigint), 12, '0'))::uuid, 'form', 50, 'newsletter');
insert into form_submissions (site_id, id, form_id, data, data_hash, ip_address, user_agent, page_url, utm_source, lead_id, conversion_id)
select f.site_id, ('01990000-0000-7000-8000-' || lpad(to_hex(:b::bigint), 12, '0'))::uuid, f.id,
       jsonb_build_object('name', 'Visitor ' || :a, 'email', 'visitor@example.com', 'phone', '+43 1 5550100',
                          'message', 'I would like to have my bike ready before the weekend: the brakes squeal, the chain jumps and the light is dark. When can I bring it, and what will it be about?'),
       lpad(to_hex(:b::bigint), 64, '0'), '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0 bench', 'https://site.bench.test/contact', 'newsletter',
       ('01990000-0000-7000-8000-' || lpad(to_hex(:a::bigint), 12, '0'))::uuid, ('01990000-0000-7000-8000-' || lpad(to_hex(:b::bigint), 12, '0'))::uuid
  from forms f where f.site_id = ('01960000-0000-7000-8000-' || lpad(to_hex(:site::bigint), 12, '0'))::uuid and f.slug = 'form-' || :form;
commit;
