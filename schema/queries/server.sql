-- Public information about the server. Every value is JSON text, copied into the response as it is.

-- name: project_settings :read
select to_json(project_name)::text as project_name, to_json(project_descriptor)::text as project_descriptor,
       to_json(project_logo)::text as project_logo, to_json(project_color)::text as project_color,
       to_json(default_appearance)::text as default_appearance,
       to_json(default_theme_light)::text as default_theme_light,
       to_json(default_theme_dark)::text as default_theme_dark,
       theme_light_overrides::text as theme_light_overrides,
       theme_dark_overrides::text as theme_dark_overrides,
       to_json(default_language)::text as default_language,
       to_json(public_foreground)::text as public_foreground,
       to_json(public_favicon)::text as public_favicon, to_json(public_note)::text as public_note,
       to_json(custom_css)::text as custom_css, to_json(public_registration)::text as public_registration,
       to_json(public_registration_verify_email)::text as public_registration_verify_email,
       to_json(public_background)::text as public_background
  from directus_settings order by id limit 1;
