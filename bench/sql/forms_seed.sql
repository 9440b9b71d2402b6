-- :forms forms on each of the :sites sites, with the fields that visitors fill in.
insert into forms (site_id, name, slug, fields, success_message, conversion_value)
select ('01960000-0000-7000-8000-' || lpad(to_hex(s), 12, '0'))::uuid, 'form ' || f, 'form-' || f,
       '[{"name": "name", "type": "text", "required": true}, {"name": "email", "type": "email", "required": true},
         {"name": "phone", "type": "tel"}, {"name": "message", "type": "textarea"}]'::jsonb,
       'Thank you!', 50
  from generate_series(1, :sites) as s, generate_series(1, :forms) as f
    on conflict do nothing;
analyze forms;
