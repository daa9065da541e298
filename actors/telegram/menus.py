"""The menus of commands that Telegram shows, one for each scope."""

from collections.abc import Sequence

from telegram import BotCommandScope, BotCommandScopeChat, BotCommandScopeChatMember, BotCommandScopeDefault

from actors.telegram import answers
from actors.telegram.access import Right
from actors.telegram.answer import Command
from config.settings import Telegram as TelegramSettings

STRANGERS_MENU = (("start", "your own id"),)

Menu = tuple[tuple[str, str], ...]


def menus_of(settings: TelegramSettings, commands: Sequence[Command]) -> list[tuple[BotCommandScope, Menu]]:
    """What each scope may do, owners in groups more than others; strangers see only that they may ask for their ids."""
    menus: list[tuple[BotCommandScope, Menu]] = [(BotCommandScopeDefault(), STRANGERS_MENU)]
    for chat_id in dict.fromkeys(settings.authorized_users):
        right = Right.OPERATE if chat_id in settings.owner_users else Right.CHANGE
        menus.append((BotCommandScopeChat(chat_id), answers.menu(commands, right)))
    groups, owners = [one for one in settings.authorized_users if one < 0], settings.owner_users
    menus += [
        (BotCommandScopeChatMember(group, owner), answers.menu(commands, Right.OPERATE))
        for group in groups
        for owner in owners
        if owner in settings.authorized_users
    ]
    return menus
