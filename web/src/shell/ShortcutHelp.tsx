import { Kbd, Modal, Table } from '@mantine/core';
import { useDisclosure, useHotkeys, useWindowEvent } from '@mantine/hooks';

const opening = 'keystile:shortcuts';

/** Opens the list of shortcuts from elsewhere. */
export function openShortcutHelp(): void {
  window.dispatchEvent(new Event(opening));
}

const shortcuts: readonly [keys: readonly string[], does: string][] = [
  [['/'], 'Go to an access key, bucket, account or request'],
  [['Ctrl', 'K'], 'The same, also from within a field'],
  [['Esc'], 'Close a drawer, dialog or menu'],
  [['Enter'], 'Open what has the focus; confirm a form'],
  [['Space'], 'Turn a toggle or select a row'],
  [['Tab'], 'Next control; Shift Tab for the one before'],
  [['?'], 'This list'],
];

/** The keyboard shortcuts, at "?". */
export function ShortcutHelp() {
  const [opened, { open, close }] = useDisclosure(false);
  useHotkeys([['shift+?', open], ['?', open]]);
  useWindowEvent(opening, open);
  return (
    <Modal opened={opened} onClose={close} title="Keyboard shortcuts">
      <Table>
        <Table.Tbody>
          {shortcuts.map(([keys, does]) => (
            <Table.Tr key={does}>
              <Table.Td w={120}>{keys.map((key) => <Kbd key={key} mr={4}>{key}</Kbd>)}</Table.Td>
              <Table.Td>{does}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
