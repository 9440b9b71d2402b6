// Light, dark or as the system says. Loaded before the first paint, so that nothing flashes.
(() => {
    'use strict';
    const choices = ['auto', 'light', 'dark'];
    const stored = () => {
        try {
            return localStorage.getItem('spark.theme');
        } catch {
            return null; // storage may be closed to us; then every visit starts with auto
        }
    };
    let theme = choices.includes(stored()) ? stored() : 'auto';

    const apply = () => {
        if (theme === 'auto') delete document.documentElement.dataset.theme;
        else document.documentElement.dataset.theme = theme;
        const button = document.getElementById('theme');
        if (button) button.textContent = `Theme: ${theme}`;
    };
    apply();

    document.addEventListener('DOMContentLoaded', () => {
        apply();
        document.getElementById('theme').addEventListener('click', () => {
            theme = choices[(choices.indexOf(theme) + 1) % choices.length];
            try {
                localStorage.setItem('spark.theme', theme);
            } catch {
                // see above
            }
            apply();
        });
    });
})();
