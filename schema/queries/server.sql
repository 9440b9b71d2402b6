-- What the server says of itself.

-- name: project_settings :read
-- returns: project_name, project_descriptor, project_logo, project_color, default_appearance, default_theme_light, default_theme_dark, theme_light_overrides, theme_dark_overrides, default_language, public_foreground, public_favicon, public_note, custom_css, public_registration, public_registration_verify_email, public_background
select project_name, project_descriptor, project_logo, project_color, default_appearance,
       default_theme_light, default_theme_dark, theme_light_overrides::text as theme_light_overrides,
       theme_dark_overrides::text as theme_dark_overrides, default_language, public_foreground,
       public_favicon, public_note, custom_css, public_registration,
       public_registration_verify_email,
       (select json_build_object('id', f.id, 'type', f.type)::text
          from directus_files f where f.id = s.public_background) as public_background
  from directus_settings s order by id limit 1;
