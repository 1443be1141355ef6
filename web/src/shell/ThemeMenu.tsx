import { ActionIcon, Menu, useMantineColorScheme } from '@mantine/core';

import { IconAuto, IconCheck, IconMoon, IconSun } from '../components/icons';

const choices = [
  { value: 'light', label: 'Light', Icon: IconSun },
  { value: 'dark', label: 'Dark', Icon: IconMoon },
  { value: 'auto', label: 'As the system', Icon: IconAuto },
] as const;

/** Light, dark, or as the system has it; kept in this browser. */
export function ThemeMenu() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const current = choices.find((choice) => choice.value === colorScheme) ?? choices[2];
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`Theme: ${current.label}`}>
          <current.Icon />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {choices.map(({ value, label, Icon }) => (
          <Menu.Item key={value} leftSection={<Icon />} rightSection={value === colorScheme ? <IconCheck /> : null} onClick={() => setColorScheme(value)}>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
