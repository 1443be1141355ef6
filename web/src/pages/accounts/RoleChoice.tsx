import { Radio, Stack } from '@mantine/core';

import { type Role, roles } from './words';

interface RoleChoiceProps {
  role: Role;
  onRole: (role: Role) => void;
  fault: string | undefined;
}

/** The roles, with what each may do. */
export function RoleChoice({ role, onRole, fault }: RoleChoiceProps) {
  return (
    <Radio.Group label="Role" value={role} onChange={(value) => onRole(value)} error={fault}>
      <Stack gap={6} mt={4}>
        {roles.map(({ value, label, may }) => <Radio key={value} size="sm" value={value} label={label} description={may} />)}
      </Stack>
    </Radio.Group>
  );
}
